"""The events of one run on /responses, as they are written."""

from decimal import Decimal
from typing import Any

from or_mcp.simulator.delivery.faults import Fault
from or_mcp.simulator.delivery.framing import Frame
from or_mcp.simulator.run.outcomes import Outcome
from or_mcp.simulator.run.texts import dice_for, pieces
from or_mcp.simulator.wire import JsonObject


class Script:
    """The events of one run, numbered, each with what has been spent when it is sent."""

    def __init__(self, outcome: Outcome, fault: Fault) -> None:
        self.outcome = outcome
        self.frames: list[Frame] = []
        self.output: list[JsonObject] = []
        self.spent = Decimal(0)
        self.sunk = Decimal(0)
        self._fault = fault
        self._number = 0
        self._dice = dice_for("pieces", outcome.model.slug, outcome.ask.question)

    def emit(self, kind: str, *, ends_panelist: bool = False, **fields: Any) -> None:
        """Add one event."""
        event: JsonObject = {"type": kind, **fields, "sequence_number": self._number}
        if self._fault.unknown_events and self._number % 3 == 1:
            event["x_simulated_extra"] = {"nobody": ["knows", self._number]}
            self._append({"type": "response.x_simulated.telemetry", "sequence_number": self._number, "load": 0.5})
            event["sequence_number"] = self._number
        self._append(event, ends_panelist=ends_panelist)

    def _append(self, event: JsonObject, *, ends_panelist: bool = False) -> None:
        self.frames.append(Frame(event, self.spent, self.sunk, ends_panelist))
        self._number += 1

    def pay(self, amount: Decimal, *, sunk: bool = False) -> None:
        """Count a cost as incurred; sunk costs stay charged whatever happens later."""
        self.spent += amount
        if sunk:
            self.sunk += amount

    def cut(self, text: str) -> list[str]:
        """A text in the fragments to stream."""
        return pieces(text, self._dice)

    def add_item(self, opened: JsonObject) -> int:
        """Announce an output item; its index."""
        index = len(self.output)
        self.output.append(opened)
        self.emit("response.output_item.added", output_index=index, item=opened)
        return index

    def finish_item(self, index: int, item: JsonObject) -> None:
        """Send an output item in full."""
        self.output[index] = item
        self.emit("response.output_item.done", output_index=index, item=item)
