"""The two kinds of reply: a document, or a stream of events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from or_mcp.simulator.wire import JsonObject, compact


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream, with what the run has cost when it is sent."""

    event: JsonObject
    spent: Decimal = Decimal(0)
    # What stays charged if the run fails here: upstream insures the answer, not finished panelists.
    sunk: Decimal = Decimal(0)
    ends_panelist: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a run ended, for the ledger; `cost` is None when it is owed in full."""

    cost: Decimal | None = None
    cancelled: bool = False
    failed: bool = False


def keep_nothing(_settlement: Settlement) -> None:
    """The settlement of replies that cost nothing."""


@dataclass(slots=True)
class Document:
    """A reply in one piece."""

    payload: JsonObject | str | bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    content_type: str = "application/json"
    # Upstream commits to 200 early on long calls and sends whitespace until the JSON is ready.
    padded: bool = False
    settle: Callable[[Settlement], None] = keep_nothing

    def encoded(self) -> bytes:
        """The body."""
        if isinstance(self.payload, bytes):
            return self.payload
        return (self.payload if isinstance(self.payload, str) else compact(self.payload)).encode()


def data_line(event: JsonObject) -> str:
    """An event framed with `data:` only, as chat and responses do."""
    return f"data: {compact(event)}\n\n"


def named_event(event: JsonObject) -> str:
    """An event framed as Anthropic does, for messages."""
    return f"event: {event['type']}\ndata: {compact(event)}\n\n"


@dataclass(slots=True)
class EventStream:
    """A reply in events, with what the API at hand says when it breaks."""

    frames: Sequence[Frame]
    # Both take how many events were sent and the `error` object.
    in_band_error: Callable[[int, JsonObject], JsonObject]
    failed: Callable[[int, JsonObject], JsonObject]
    encode: Callable[[JsonObject], str] = data_line
    headers: dict[str, str] = field(default_factory=dict[str, str])
    comment: str = ": OPENROUTER PROCESSING\n\n"
    last_line: str = "data: [DONE]\n\n"
    keepalives: int = 1
    settle: Callable[[Settlement], None] = keep_nothing

    def after(self, sent: int) -> Frame:
        """The last of the first `sent` events; a free one when there is none."""
        return self.frames[sent - 1] if sent else Frame({})


Reply = Document | EventStream
