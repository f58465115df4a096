"""Ceilings and budgets: checked before spending, over every process that shares the store."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from or_mcp.openrouter.errors import CallerCanAct
from or_mcp.runs.ledger import charged_today, charged_today_by, set_aside_now
from or_mcp.runs.record import RunRequest
from or_mcp.runs.transaction import Transaction

_WAYS = {
    "fuse": "name fewer or cheaper analysis_models, lower max_completion_tokens, or set web to false",
    "ask": "choose a cheaper model, set a lower max_output_tokens, or shorten the prompt",
    "embed": "choose a cheaper model, send fewer texts, or shorten them",
    "rerank": "choose a cheaper model, send fewer documents, or shorten them",
}


class OverBudget(CallerCanAct):
    """It may cost more than is allowed; nothing was sent."""

    kind = "over_budget"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator allows; zero means no limit."""

    per_call_usd: Decimal = Decimal(0)
    per_day_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands today: its own spending, and what is left for all that the same key pays for.

    Without today's spending, it could not be read.
    """

    today_usd: Decimal | None
    left_usd: Decimal | None


def dollars(amount: Decimal) -> str:
    """An amount for people: four decimals below ten dollars' cents matter, never rounded to nothing."""
    if amount and abs(amount) < Decimal("0.00005"):
        return f"${Decimal(f'{amount:.2g}'):f}" if abs(amount) >= Decimal("1e-9") else "$0.0000"
    return f"${amount:.4f}"


def check_ceiling(request: RunRequest, limits: Limits) -> None:
    """Refuse a call that is estimated above what one call may cost.

    Raises:
        OverBudget: The high estimate is above a ceiling.
    """
    for name, ceiling in (
        ("max_cost_usd", request.ceiling_usd),
        ("OR_MCP_MAX_COST_PER_CALL_USD", limits.per_call_usd or None),
    ):
        if ceiling is not None and request.high_usd is not None and request.high_usd > ceiling:
            raise OverBudget(
                f"The call is estimated at {_range(request)}, above the ceiling of {dollars(ceiling)} ({name}). "
                f"To get under it: {_WAYS[request.tool]}"
            )


def reserve(tx: Transaction, request: RunRequest, limits: Limits, key_left: Decimal | None) -> Decimal:
    """The amount to set aside for a call, inside the transaction that records it.

    An estimate that is not known is taken at the call's ceiling: it is never taken as nothing.

    Raises:
        OverBudget: The budget or the key's limit has less left than the call may cost.
    """
    ceiling = request.ceiling_usd if request.ceiling_usd is not None else limits.per_call_usd or None
    amount = request.high_usd if request.high_usd is not None else ceiling
    if limits.per_day_usd:
        left = limits.per_day_usd - charged_today(tx, request.payer)
        _fits(request, amount, left, f"left of today's budget of {dollars(limits.per_day_usd)}")
    if key_left is not None and request.high_usd is not None:
        left = key_left - set_aside_now(tx, request.payer)
        _fits(request, amount, left, "left on the OpenRouter key")
    return amount or Decimal(0)


def standing(tx: Transaction, caller: str, payer: str, limits: Limits) -> Standing:
    """What was spent today, and what the daily budget still allows."""
    today = charged_today_by(tx, caller)
    if not limits.per_day_usd:
        return Standing(today, None)
    return Standing(today, max(Decimal(0), limits.per_day_usd - charged_today(tx, payer)))


def _fits(request: RunRequest, amount: Decimal | None, left: Decimal, what: str) -> None:
    if amount == 0:
        return
    if left <= 0 or (amount is not None and amount > left):
        raise OverBudget(
            f"The call is estimated at {_range(request)}, but only {dollars(max(left, Decimal(0)))} is {what}. "
            f"To get under it: {_WAYS[request.tool]}"
        )


def _range(request: RunRequest) -> str:
    if request.high_usd is None:
        return "an unknown cost"
    low = request.low_usd if request.low_usd is not None else Decimal(0)
    return f"{dollars(low)} to {dollars(request.high_usd)}"
