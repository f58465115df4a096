"""Ceilings and budgets: checked before spending, over every process that shares the store.

What is compared and set aside is the most that a call, exactly as it is sent, can cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext

from or_mcp.openrouter.errors import CallerCanAct
from or_mcp.runs.key_limit import Heard
from or_mcp.runs.ledger import shares, spent_today_by
from or_mcp.runs.record import RunRequest
from or_mcp.runs.transaction import Transaction

PER_CALL, PER_DAY = "OR_MCP_MAX_COST_PER_CALL_USD", "OR_MCP_DAILY_BUDGET_USD"
PER_CALLER = "OR_MCP_CALLER_DAILY_BUDGET_USD"
_BY_CALLER, _BY_KEY = "max_cost_usd", "the OpenRouter key's limit"

_WAYS = {
    "fuse": "name fewer or cheaper analysis_models, lower max_completion_tokens, or set web to false",
    "ask": "choose a cheaper model, set a lower max_output_tokens, or shorten the prompt",
    "embed": "choose a cheaper model, send fewer texts, or shorten them",
    "rerank": "choose a cheaper model, send fewer documents, or shorten them",
    "make": "choose a cheaper model (list_models with output_modality), a lower count, fewer seconds or a smaller size",
    "decide": "choose a cheaper model, ask less, or shorten the texts",
}
_NEXT = {
    _BY_CALLER: "change the call as said above, or raise max_cost_usd.",
    PER_CALL: f"change the call as said above, or ask the user to raise {PER_CALL}.",
    PER_DAY: f"change the call as said above, wait until midnight UTC, or ask the user to raise {PER_DAY}.",
    PER_CALLER: f"change the call as said above, wait until midnight UTC, or ask the operator to raise {PER_CALLER}.",
    _BY_KEY: "change the call as said above, or ask the user to raise the key's limit.",
}


class OverBudget(CallerCanAct):
    """It may cost more than is allowed; nothing was sent. `next_step` is what to do about it."""

    kind = "over_budget"

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator allows; zero means no limit."""

    per_call_usd: Decimal = Decimal(0)
    per_day_usd: Decimal = Decimal(0)
    per_caller_usd: Decimal = Decimal(0)
    # Callers who do not know each other share the store.
    are_for_a_team: bool = False

    @property
    def count_days(self) -> bool:
        """Whether what was spent today limits anything."""
        return bool(self.per_day_usd or self.per_caller_usd)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a call may cost, by whose word, and how that is told; `shared` with all calls that draw on the same."""

    usd: Decimal
    by: str
    words: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """Everything that bounds a call."""

    bounds: tuple[Bound, ...] = ()

    @property
    def tightest(self) -> Bound | None:
        """The bound that counts."""
        return min(self.bounds, key=lambda bound: bound.usd, default=None)

    @property
    def usd(self) -> Decimal | None:
        """What the call may cost; None means no limit."""
        return None if self.tightest is None else max(self.tightest.usd, Decimal(0))

    @property
    def shared_usd(self) -> Decimal | None:
        """What is left for this call and all others together; None means no limit."""
        return min((max(bound.usd, Decimal(0)) for bound in self.bounds if bound.shared), default=None)

    @property
    def by(self) -> str:
        """Whose word counts."""
        return "" if self.tightest is None else self.tightest.by


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands today: what it has spent, what is only set aside for it, and what is left for all that the
    same key pays for.

    Without today's spending, it could not be read.
    """

    today_usd: Decimal | None
    left_usd: Decimal | None
    set_aside_usd: Decimal = Decimal(0)


def dollars(amount: Decimal, rounding: str = ROUND_HALF_EVEN) -> str:
    """An amount for people: four decimals below ten dollars' cents matter, never rounded to nothing."""
    if amount and abs(amount) < Decimal("0.00005"):
        return f"${Decimal(f'{amount:.2g}'):f}" if abs(amount) >= Decimal("1e-9") else "$0.0000"
    with localcontext(rounding=rounding):
        return f"${amount:.4f}"


def room(tx: Transaction, request: RunRequest, limits: Limits, key: Heard | None) -> Room:
    """What a call may cost now: by its caller's word, the operator's, the day's budgets and the key's limit."""
    return Room((*_ceilings(request, limits), *_shares(tx, request, limits, key)))


def room_at_once(request: RunRequest, limits: Limits, key: Heard) -> Room | None:
    """The same without a look at the store; None where something bounds the call that others draw on too."""
    is_shared = limits.count_days or key.left_usd is not None
    return None if is_shared else Room(tuple(_ceilings(request, limits)))


def _ceilings(request: RunRequest, limits: Limits) -> Iterator[Bound]:
    ceiling_usd = request.ceiling_usd
    if ceiling_usd is not None:
        yield Bound(ceiling_usd, _BY_CALLER, f"above the ceiling of {dollars(ceiling_usd, ROUND_FLOOR)} ({_BY_CALLER})")
    if limits.per_call_usd:
        words = f"above the ceiling of {dollars(limits.per_call_usd, ROUND_FLOOR)} ({PER_CALL})"
        yield Bound(limits.per_call_usd, PER_CALL, words)


def _shares(tx: Transaction, request: RunRequest, limits: Limits, key: Heard | None) -> Iterator[Bound]:
    key_left = key.left_usd if key is not None else None
    if not limits.count_days and key_left is None:
        return
    of_payer, of_caller = shares(tx, request.payer, request.caller)
    if limits.per_day_usd:
        left = limits.per_day_usd - of_payer.charged
        words = f"but only {_rest(left)} is left of today's budget of {dollars(limits.per_day_usd)} ({PER_DAY})"
        yield Bound(left, PER_DAY, words, shared=True)
    if limits.per_caller_usd:
        left = limits.per_caller_usd - of_caller.charged
        budget = f"today's budget of {dollars(limits.per_caller_usd)} for each caller ({PER_CALLER})"
        yield Bound(left, PER_CALLER, f"but only {_rest(left)} is left of {budget}", shared=True)
    if key is not None and key_left is not None:
        left = key_left - of_payer.set_aside - max(Decimal(0), of_payer.settled - key.settled_usd)
        yield Bound(left, _BY_KEY, f"but only {_rest(left)} is left on the OpenRouter key", shared=True)


def check(request: RunRequest, found: Room) -> None:
    """Refuse a call that can cost more than there is room for.

    Raises:
        OverBudget: It can; or nobody knows what it can cost, and nothing is left.
    """
    if request.most_usd == 0:
        return
    for bound in sorted(found.bounds, key=lambda bound: bound.usd):
        if bound.usd <= 0 or (request.most_usd is not None and request.most_usd > bound.usd):
            raise OverBudget(
                f"The call {_range(request)}, {bound.words}. To get under it: {_WAYS[request.tool]}", _NEXT[bound.by]
            )


def set_aside(request: RunRequest, found: Room) -> Decimal:
    """The amount to set aside for a call: never nothing where anything bounds it and nothing bounds its cost."""
    return request.most_usd if request.most_usd is not None else found.usd or Decimal(0)


def reserve(tx: Transaction, request: RunRequest, limits: Limits, key: Heard | None) -> Decimal:
    """The same, inside the transaction that records the call.

    Raises:
        OverBudget: There is less room than the call can cost.
    """
    found = room(tx, request, limits, key)
    check(request, found)
    return set_aside(request, found)


def standing(tx: Transaction, caller: str, payer: str, limits: Limits) -> Standing:
    """What was spent today, and what the daily budgets still allow."""
    of_payer, of_caller = shares(tx, payer, caller)
    spent = spent_today_by(tx, caller)
    left = [limits.per_caller_usd - of_caller.charged] if limits.per_caller_usd else []
    left += [limits.per_day_usd - of_payer.charged] if limits.per_day_usd else []
    held = max(Decimal(0), of_caller.charged - spent)
    return Standing(spent, max(Decimal(0), min(left)) if left else None, held)


def _rest(left: Decimal) -> str:
    return dollars(max(left, Decimal(0)), ROUND_FLOOR)


def _range(request: RunRequest) -> str:
    if request.most_usd is None:
        return "has a cost that nobody can bound"
    # Against what is rounded down, so that the two never read alike.
    most = f"can cost {dollars(request.most_usd, ROUND_CEILING)}"
    if request.low_usd is None or request.high_usd is None:
        return most
    return f"is estimated at {dollars(request.low_usd)} to {dollars(request.high_usd)} and {most}"
