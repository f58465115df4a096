"""How a paid tool reads its runs back, whoever carried them and however long ago."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from or_mcp.calls.reply import Reply
from or_mcp.conversation.thread import Thread
from or_mcp.fusion.result import PanelText
from or_mcp.runs.pieces import Context
from or_mcp.runs.record import RunRecord


@dataclass(frozen=True, slots=True)
class Shown:
    """How a run is to be shown."""

    detail: Literal["brief", "standard", "full"] = "standard"
    replayed: bool = False
    cost_line: str = ""
    progress: str = ""
    notes: tuple[str, ...] = ()


AS_USUAL = Shown()


@dataclass(frozen=True, slots=True)
class Keepsake:
    """How a paid tool reads its runs back, whoever carried them."""

    show: Callable[[RunRecord, Shown], Reply]
    result: Callable[[RunRecord], str]
    provider_cost: Callable[[RunRecord], Decimal | None]
    panel: Callable[[RunRecord], tuple[PanelText, ...]] | None = None
    thread: Callable[[RunRecord, Context | None], Thread] | None = None
