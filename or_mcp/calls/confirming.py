"""A call that may be expensive asks the user first, where the host can ask."""

from __future__ import annotations

from decimal import Decimal

from or_mcp.calls.call import Call, NeedsHost
from or_mcp.runs.budget import dollars
from or_mcp.runs.record import Cancelled, RunRequest


class NeedsAnswer(NeedsHost):
    """The host must ask its user."""

    def __init__(self, question: str, choices: tuple[str, ...] = ()) -> None:
        super().__init__(question)
        self.question = question
        self.choices = choices


async def confirm(call: Call, request: RunRequest, ceiling: Decimal) -> None:
    """Ask, when the call may cost more than half of what one call may.

    Raises:
        Cancelled: The user said no. Nothing was sent.
        NeedsAnswer: The host asks and calls again.
    """
    if call.ask is None or not is_dear(request, ceiling):
        return
    low, high = (dollars(amount or Decimal(0)) for amount in (request.low_usd, request.high_usd))
    models = ", ".join(request.models)
    if not await call.ask(f"{request.tool} with {models} may cost {low} to {high}. Spend it?"):
        raise Cancelled("The user was asked whether to spend it, and did not agree")


def is_dear(request: RunRequest, ceiling: Decimal) -> bool:
    """Whether a call may cost so much that whoever can be asked is."""
    return bool(ceiling) and request.high_usd is not None and request.high_usd > ceiling / 2
