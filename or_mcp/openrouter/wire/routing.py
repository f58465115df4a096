"""Parts that every kind of inference request shares."""

from __future__ import annotations

from or_mcp.openrouter.wire.lenient import Request


class Provider(Request):
    """Which providers may serve a request."""

    only: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    data_collection: str | None = None
    zdr: bool | None = None
    require_parameters: bool | None = None


class StopWhen(Request):
    """A condition after which upstream calls no more server tools."""

    type: str
    step_count: int | None = None
    max_cost_in_dollars: float | None = None


class Reasoning(Request):
    """How hard to think."""

    effort: str | None = None


class WebTool(Request):
    """A server tool of upstream's, with its settings."""

    type: str
    parameters: dict[str, int] | None = None
