"""How a paid tool reads its runs back, whoever carried them and however long ago."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from or_mcp.calls.reply import Reply
from or_mcp.conversation.thread import Thread
from or_mcp.files.made import MadeFile
from or_mcp.files.shelf import Shelf
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.usage import Usage
from or_mcp.runs.live import Work
from or_mcp.runs.pieces import Context
from or_mcp.runs.record import RunRecord
from or_mcp.runs.store import Store

if TYPE_CHECKING:
    from or_mcp.fusion.result import PanelMember


@dataclass(frozen=True, slots=True)
class Shown:
    """How a run is to be shown."""

    detail: Literal["brief", "standard", "full"] = "standard"
    replayed: bool = False
    cost_line: str = ""
    progress: str = ""
    notes: tuple[str, ...] = ()
    # Where files of runs stand, for a reader who can open them there; which of this run's do, if that was looked up.
    files_in: Path | None = None
    files_here: frozenset[str] | None = None


AS_USUAL = Shown()


@dataclass(frozen=True, slots=True)
class Means:
    """With what a job is gone on with that another process has sent."""

    upstream: OpenRouter
    shelf: Shelf
    store: Store
    data_dir: Path | None


class Result(Protocol):
    """What has come of a run, as its tool keeps it."""

    @property
    def provider_cost_usd(self) -> Decimal | None:
        """What a provider bills by itself, to whoever brought a key of its own."""
        ...


ResultT = TypeVar("ResultT", bound=Result)


@dataclass(frozen=True, slots=True)
class Keepsake(Generic[ResultT]):
    """How a paid tool reads its runs back, whoever carried them."""

    read: Callable[[RunRecord], ResultT]
    show: Callable[[RunRecord, ResultT, Shown], Reply]
    words: Callable[[ResultT], str]
    panel: Callable[[ResultT], tuple[PanelMember, ...]] | None = None
    thread: Callable[[RunRecord, Context | None], Thread] | None = None
    files: Callable[[ResultT], tuple[MadeFile, ...]] | None = None
    trace: Callable[[RunRecord], str] | None = None
    resume: Callable[[RunRecord, Means], Work | None] | None = None
    # What all of it used; none where that is only a part of what was paid for.
    usage: Callable[[ResultT], Usage | None] | None = None

    def made(self, result: ResultT) -> tuple[MadeFile, ...]:
        """Its files."""
        return self.files(result) if self.files is not None else ()

    def from_cache(self, result: ResultT) -> Decimal | None:
        """Which part of what was read came from a cache, where that is known."""
        used = self.usage(result) if self.usage is not None else None
        return (
            Decimal(used.cached_tokens) / used.input_tokens
            if used and used.cached_tokens and used.input_tokens
            else None
        )


AnyKeepsake = Keepsake[Any]
