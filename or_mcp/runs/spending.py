"""What a caller has spent, as the ledger tells it: by tool, by models and by UTC day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from or_mcp.runs.amounts import dollars_of
from or_mcp.runs.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Estimated:
    """What runs were estimated at, and what they were billed, where all of that is known."""

    runs: int
    low: Decimal
    high: Decimal
    most: Decimal
    billed: Decimal


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent, by tool, by models and by UTC day; `unknown` runs have no cost yet."""

    total_usd: Decimal
    unknown: int
    by_tool: Mapping[str, Decimal]
    by_model: Mapping[str, Decimal]
    by_day: Mapping[str, Decimal]
    estimates: Mapping[str, Estimated]


def spending_since(tx: Transaction, caller: str, since: datetime) -> Spending:
    """What a caller has spent, from the day of a time on."""
    rows = tx.execute(
        "SELECT day, tool, models, cost_usd, runs, unknown, estimated, low_usd, high_usd, most_usd, billed_usd "
        "FROM spending WHERE caller = ? AND day >= ? ORDER BY day DESC",
        (caller, since.date().isoformat()),
    )
    by_tool: dict[str, Decimal] = {}
    by_model: dict[str, Decimal] = {}
    by_day: dict[str, Decimal] = {}
    estimates: dict[str, Estimated] = {}
    unknown = 0
    for day, tool, models, cost, runs, without, *figures in rows:
        if not runs:
            continue
        unknown += without
        asked = " + ".join(json.loads(models)) or "upstream's choice"
        for sums, name in ((by_tool, tool), (by_model, asked), (by_day, day)):
            sums[name] = sums.get(name, Decimal(0)) + dollars_of(cost)
        estimates[tool] = _with(estimates.get(tool), *figures)
    known = {tool: estimate for tool, estimate in estimates.items() if estimate.runs}
    return Spending(sum(by_tool.values(), Decimal(0)), unknown, by_tool, by_model, by_day, known)


def _with(sums: Estimated | None, runs: int, *figures: int) -> Estimated:
    low, high, most, billed = map(dollars_of, figures)
    if sums is None:
        return Estimated(runs, low, high, most, billed)
    return Estimated(sums.runs + runs, sums.low + low, sums.high + high, sums.most + most, sums.billed + billed)
