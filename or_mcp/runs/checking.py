"""What is asked by whoever examines a store: whether the ledger is the sum of the runs, and what came before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from or_mcp.runs.amounts import day_of, dollars_of, moment, start_of_day
from or_mcp.runs.ledger import UNDER_WAY
from or_mcp.runs.transaction import Transaction


class Difference(NamedTuple):
    """A row of the ledger that is not the sum of its runs."""

    scope: str
    day: str
    ledger: str
    runs: str


def differences(tx: Transaction, since: float) -> list[Difference]:
    """Where the ledger differs from the runs, on whole days from a time on: runs of earlier ones may be forgotten."""
    first = day_of(since + 86_400)
    charged, held = _of_runs(tx, first)
    rows = tx.execute("SELECT scope, day, charged_usd, set_aside_usd FROM ledger").fetchall()
    kept = Counter({(scope, day): units for scope, day, units, _ in rows if day >= first})
    kept_held = Counter({(scope, day): units for scope, day, _, units in rows if day == ""})
    return [*_compared(kept, charged), *_compared(kept_held, held)]


def _of_runs(tx: Transaction, first: str) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    charged, held = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    rows = tx.execute(f"SELECT payer, caller, started, charged_usd, {UNDER_WAY} FROM runs")  # noqa: S608
    for payer, caller, started, units, is_under_way in rows:
        for scope in (f"payer:{payer}", f"caller:{caller}"):
            if (day := day_of(started)) >= first:
                charged[scope, day] += units
            if is_under_way:
                held[scope, ""] += units
    return charged, held


def _compared(ledger: Counter[tuple[str, str]], runs: Counter[tuple[str, str]]) -> Iterator[Difference]:
    for scope, day in sorted(ledger.keys() | runs.keys()):
        if ledger[scope, day] != runs[scope, day]:
            told = (f"${dollars_of(units[scope, day]):f}" for units in (ledger, runs))
            yield Difference(scope, day or "set aside", *told)


def charged_before_the_ledger(tx: Transaction) -> list[Decimal]:
    """What each caller has spent today, on a store that a program left which knew no ledger."""
    rows = tx.execute(
        "SELECT total(charged_usd) FROM runs WHERE started >= ? GROUP BY caller",
        (start_of_day(moment(tx.now)).timestamp(),),
    )
    return [dollars_of(round(charged)) for (charged,) in rows]
