"""A run of many requests, row by row: what was sent, what came of it, and what it cost.

A row is written before it is sent, and again when it is answered. So whoever comes after a process that died knows
which rows were paid for, and which may have been.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from or_mcp.runs.amounts import units, usd
from or_mcp.runs.transaction import Transaction

RowState = Literal["open", "sent", "answered", "failed"]

_KEEP = (
    "INSERT INTO run_rows (run_id, n, state, cost_usd, body) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (run_id, n) DO UPDATE SET state = excluded.state, cost_usd = excluded.cost_usd, body = excluded.body"
)

SPENT = "(SELECT CAST(sum(r.cost_usd) AS BIGINT) FROM run_rows r WHERE r.run_id = runs.run_id)"
"""What the rows of a run have cost, or may have; NULL where it has none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `open` is not under way, `sent` may have been billed. The body is the tool's JSON, or why it failed.

    `cost_usd` is what it cost, or may have; None where nobody can say.
    """

    n: int
    state: RowState
    body: str = ""
    cost_usd: Decimal | None = None


def keep_rows(tx: Transaction, run_id: str, rows: Iterable[Row]) -> None:
    """Write rows as they stand; a run that is not there any more has none."""
    if tx.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)).fetchone() is not None:
        tx.each(_KEEP, [(run_id, row.n, row.state, units(row.cost_usd), row.body) for row in rows])


def rows_of(tx: Transaction, run_id: str) -> tuple[Row, ...]:
    """The rows of a run, in order."""
    found = tx.execute("SELECT n, state, body, cost_usd FROM run_rows WHERE run_id = ? ORDER BY n", (run_id,))
    return tuple(Row(n, state, body, usd(cost)) for n, state, body, cost in found)
