"""The events of a panel at work on /responses: panelists interleaved, then the analyst."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from or_mcp.simulator.api.script import Script
from or_mcp.simulator.run.outcomes import FusionRun, Panelist
from or_mcp.simulator.run.texts import dice_for, pieces
from or_mcp.simulator.wire import JsonObject

_Step = tuple[str, JsonObject, Decimal]


class FusionEvents:
    """Plays one panel's events into a script."""

    def __init__(self, script: Script, run: FusionRun) -> None:
        self._script = script
        self._run = run
        self._dice = dice_for("interleave", len(run.panel), run.prompt)
        self._where: JsonObject = {}

    def play(self) -> None:
        """Everything from the item's announcement to its full record."""
        run = self._run
        index = self._script.add_item({"id": run.id, "type": "openrouter:fusion", "status": "in_progress"})
        self._where = {"output_index": index, "item_id": run.id}
        self._emit("in_progress")
        for panelist in run.panel:
            self._emit("panel.added", model=panelist.model)
        self._play_panel()
        if run.replies:
            self._play_analysis()
        self._emit("completed")
        self._script.finish_item(index, run.item())

    def _emit(self, kind: str, *, ends_panelist: bool = False, **fields: Any) -> None:
        self._script.emit(f"response.fusion_call.{kind}", ends_panelist=ends_panelist, **self._where, **fields)

    def _play_panel(self) -> None:
        speaking = [(panelist, self._steps(panelist)) for panelist in self._run.panel]
        while speaking:
            turn = self._dice.randrange(len(speaking))
            panelist, steps = speaking[turn]
            step = next(steps, None)
            if step is None:
                speaking.pop(turn)
                continue
            kind, fields, cost = step
            self._script.pay(cost, sunk=True)
            ends = kind in ("panel.completed", "panel.failed")
            self._emit(kind, ends_panelist=ends, model=panelist.model, **fields)

    def _steps(self, panelist: Panelist) -> Iterator[_Step]:
        nothing = Decimal(0)
        if panelist.error is not None:
            failure = panelist.failure()
            failure.pop("model")
            yield "panel.failed", failure, nothing
            return
        for delta in pieces(panelist.reasoning, self._dice):
            yield "panel.reasoning.delta", {"delta": delta}, nothing
        for delta in pieces(panelist.reply, self._dice):
            yield "panel.delta", {"delta": delta}, nothing
        yield "panel.completed", {"content": panelist.reply}, panelist.bill.charged(byok=self._run.byok)

    def _play_analysis(self) -> None:
        run = self._run
        # Upstream keeps the old name beside the new one.
        self._emit("analysis.in_progress", analyst_model=run.analyst, judge_model=run.analyst)
        self._script.pay(run.analyst_bill.charged(byok=run.byok), sunk=True)
        if run.analysis is not None:
            self._emit("analysis.completed", analysis=run.analysis)
