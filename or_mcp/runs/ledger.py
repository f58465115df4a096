"""What is spent and what is set aside, by payer, caller, day, tool and models.

The ledger moves in the same transaction as each beginning and ending of a run and each cost that is learnt, by the
difference to what is booked of that run already. So it never has to be summed up from runs, and outlives them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from or_mcp.runs.amounts import MOST_UNITS, day_of, dollars_of, moment, units
from or_mcp.runs.rows import SPENT
from or_mcp.runs.transaction import Transaction

# Longer than anybody asks for: `account` shows 30 days, and an operator may want a year.
_KEPT_DAYS = 400
_UNDER_WAY, _COST_UNKNOWN, _COST_KNOWN = 1, 2, 3
# A row that would hold more stays there: 64 bits are not enough for a hundred of the largest amounts.
_FULL = 90 * MOST_UNITS
# How many runs are booked in one transaction that other programs wait for.
_AT_ONCE = 500

UNDER_WAY = "(status = 'running' AND lost_at IS NULL)"
"""Whether somebody carries a run, as far as the store says."""
OPEN = "delivered = 0 AND status IN ('running', 'completed')"
"""Whether the same question may be the same run: the index knows these words."""
BOOKING = f"CASE WHEN {UNDER_WAY} THEN {_UNDER_WAY} WHEN cost_usd IS NULL THEN {_COST_UNKNOWN} ELSE {_COST_KNOWN} END"
"""How a run is to be booked."""
NOT_BOOKED = f"(booked_usd <> charged_usd OR booked_as <> {BOOKING})"
"""What a program wrote that does not know the ledger."""


def _adding(*columns: str) -> str:
    """Add to each column, up to what a row can hold."""
    return ", ".join(
        f"{name} = CASE WHEN l.{name} > {_FULL} - excluded.{name} THEN {_FULL} ELSE l.{name} + excluded.{name} END"
        for name in columns
    )


_SCOPE = (
    "INSERT INTO ledger AS l (scope, day, charged_usd, set_aside_usd) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (scope, day) DO UPDATE SET "
)
_CHARGE, _SET_ASIDE = _SCOPE + _adding("charged_usd"), _SCOPE + _adding("set_aside_usd")
_SUMS = ("charged_usd", "cost_usd", "runs", "unknown", "estimated", "low_usd", "high_usd", "most_usd", "billed_usd")
_SPEND = (
    f"INSERT INTO spending AS l (caller, day, tool, models, payer, {', '.join(_SUMS)}) "  # noqa: S608
    f"VALUES (?, ?, ?, ?, ?{', ?' * len(_SUMS)}) ON CONFLICT (caller, day, tool, models, payer) DO UPDATE SET "
    f"{_adding(*_SUMS)}"
)
_RUN = "run_id, payer, caller, tool, models, started, low_usd, high_usd, most_usd, booked_usd, booked_as"


class Booked(NamedTuple):
    """What the ledger holds of a run: so much, as this."""

    units: int = 0
    state: int = 0

    @property
    def is_under_way(self) -> bool:
        """Whether somebody carries it."""
        return self.state == _UNDER_WAY

    @property
    def set_aside(self) -> int:
        """What is held for a run under way."""
        return self.units if self.is_under_way else 0

    @property
    def cost(self) -> int:
        """What it has cost, as far as known."""
        return self.units if self.state == _COST_KNOWN else 0


@dataclass(frozen=True, slots=True)
class Account:
    """Where a run is booked, and what it was estimated at."""

    payer: str
    caller: str
    tool: str
    models: str
    started: float
    estimate: tuple[int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Share:
    """What was charged today, real costs and what is set aside where a cost is not known; and what is set aside now."""

    charged: Decimal = Decimal(0)
    set_aside: Decimal = Decimal(0)

    @property
    def settled(self) -> Decimal:
        """What was charged beside what is set aside."""
        return self.charged - self.set_aside


class Shares(NamedTuple):
    """What one key pays for, and what one caller does."""

    of_payer: Share
    of_caller: Share


def shares(tx: Transaction, payer: str, caller: str) -> Shares:
    """What is counted today, in one statement."""
    scopes, today = (f"payer:{payer}", f"caller:{caller}"), day_of(tx.now)
    rows = tx.execute(
        "SELECT scope, day, charged_usd, set_aside_usd FROM ledger WHERE scope IN (?, ?) AND day IN (?, '')",
        (*scopes, today),
    ).fetchall()
    charged = {scope: dollars_of(units) for scope, day, units, _ in rows if day}
    held = {scope: dollars_of(units) for scope, day, _, units in rows if not day}
    return Shares(*(Share(charged.get(scope, Decimal(0)), held.get(scope, Decimal(0))) for scope in scopes))


def spent_today_by(tx: Transaction, caller: str) -> Decimal:
    """What the runs of one caller have cost today, as far as that is known: nothing of what is only set aside."""
    rows = tx.execute("SELECT cost_usd FROM spending WHERE caller = ? AND day = ?", (caller, day_of(tx.now)))
    return dollars_of(sum(cost for (cost,) in rows))


def charged_today_by_payer(tx: Transaction) -> list[Decimal]:
    """What each key on this store has spent today."""
    rows = tx.execute(
        "SELECT charged_usd FROM ledger WHERE day = ? AND scope >= 'payer:' AND scope < 'payer;'", (day_of(tx.now),)
    )
    return [dollars_of(charged) for (charged,) in rows]


def state_of(*, is_under_way: bool, cost: int | None) -> int:
    """How a run is to be booked."""
    return _UNDER_WAY if is_under_way else _COST_UNKNOWN if cost is None else _COST_KNOWN


def move(tx: Transaction, account: Account, before: Booked, after: Booked) -> None:
    """Book a run anew: by the difference."""
    if before == after:
        return
    before, after = _within(before), _within(after)
    charged, held = after.units - before.units, after.set_aside - before.set_aside
    day = day_of(account.started)
    scopes = [f"payer:{account.payer}", f"caller:{account.caller}"]
    if charged:
        tx.each(_CHARGE, [(scope, day, charged, 0) for scope in scopes])
    if held:
        tx.each(_SET_ASIDE, [(scope, "", 0, held) for scope in scopes])
    keys = (account.caller, day, account.tool, account.models, account.payer)
    tx.execute(_SPEND, (*keys, charged, *_ended(account, before, after)))


def is_behind(tx: Transaction) -> bool:
    """Whether there is anything to book that others wrote."""
    return tx.execute(f"SELECT 1 FROM runs WHERE {NOT_BOOKED} LIMIT 1").fetchone() is not None  # noqa: S608


def book_others(tx: Transaction, since: float, most: int = _AT_ONCE) -> int:
    """Book what programs wrote that do not know the ledger, the newest first; how many runs that were."""
    rows = tx.execute(
        f"SELECT {_RUN}, charged_usd, {BOOKING} FROM runs WHERE {NOT_BOOKED} AND started >= ? "  # noqa: S608
        "ORDER BY started DESC LIMIT ?",
        (since, most),
    ).fetchall()
    for run_id, *row, charged, state in rows:
        account, before = _account(row)
        move(tx, account, before, Booked(charged, state))
        _mark(tx, run_id, Booked(charged, state))
    return len(rows)


def learn(tx: Transaction, run_id: str, cost: Decimal) -> bool:
    """Upstream has said what a run cost that ended without a cost; whether that was news."""
    row = tx.execute(
        f"SELECT {_RUN} FROM runs WHERE run_id = ? AND NOT {UNDER_WAY} AND cost_usd IS NULL",  # noqa: S608
        (run_id,),
    ).fetchone()
    if row is None:
        return False
    account, before = _account(row[1:])
    after = Booked(units(cost) or 0, _COST_KNOWN)
    tx.execute("UPDATE runs SET cost_usd = ?, charged_usd = ? WHERE run_id = ?", (after.units, after.units, run_id))
    move(tx, account, before, after)
    _mark(tx, run_id, after)
    return True


def lose(tx: Transaction, run_id: str) -> bool:
    """Nobody carries a run any more; whether that was news. What it has cost counts, or else what it may have cost.

    This is all that others say of a run than its carrier, which may yet end it if it was only cut off.
    """
    row = tx.execute(
        f"SELECT {_RUN}, coalesce(cost_usd, {SPENT}, charged_usd), cost_usd FROM runs WHERE run_id = ? AND {UNDER_WAY}",  # noqa: S608
        (run_id,),
    ).fetchone()
    if row is None:
        return False
    *kept, charged, cost = row[1:]
    account, before = _account(kept)
    after = Booked(charged, state_of(is_under_way=False, cost=cost))
    tx.execute("UPDATE runs SET lost_at = ?, charged_usd = ? WHERE run_id = ?", (tx.now, charged, run_id))
    move(tx, account, before, after)
    _mark(tx, run_id, after)
    return True


def take_back(tx: Transaction, run_id: str) -> None:
    """A run that was recorded, if it was, but never begun: it has cost nothing."""
    if lose(tx, run_id):
        learn(tx, run_id, Decimal(0))


def forget(tx: Transaction) -> None:
    """Drop what nobody asks for any more."""
    oldest = (moment(tx.now) - timedelta(days=_KEPT_DAYS)).date().isoformat()
    tx.execute("DELETE FROM ledger WHERE day <> '' AND day < ?", (oldest,))
    tx.execute("DELETE FROM spending WHERE day < ?", (oldest,))


def _account(row: Any) -> tuple[Account, Booked]:
    payer, caller, tool, models, started, low, high, most, booked_usd, booked_as = row
    return Account(payer, caller, tool, models, started, (low, high, most)), Booked(booked_usd, booked_as)


def _mark(tx: Transaction, run_id: str, after: Booked) -> None:
    tx.execute("UPDATE runs SET booked_usd = ?, booked_as = ? WHERE run_id = ?", (*after, run_id))


def _within(entry: Booked) -> Booked:
    """An amount that another program has written may be any."""
    return Booked(min(max(entry.units, 0), MOST_UNITS), entry.state)


def _ended(account: Account, before: Booked, after: Booked) -> tuple[int, ...]:
    """By how much the sums over ended runs move."""
    cost = after.cost - before.cost
    ended = (after.state > _UNDER_WAY) - (before.state > _UNDER_WAY)
    unknown = (after.state == _COST_UNKNOWN) - (before.state == _COST_UNKNOWN)
    figures = [figure for figure in account.estimate if figure is not None]
    if len(figures) < len(account.estimate):
        return (cost, ended, unknown, 0, 0, 0, 0, 0)
    known = (after.state == _COST_KNOWN) - (before.state == _COST_KNOWN)
    sums = [known * min(max(figure, 0), MOST_UNITS) for figure in figures]
    return (cost, ended, unknown, known, *sums, cost)
