"""What keeps a store in order, in pieces that other programs need not wait for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import anyio
import anyio.to_thread

from or_mcp.runs import ledger, queries
from or_mcp.runs.lease import forget_processes
from or_mcp.runs.record import RunRecord
from or_mcp.runs.store import Store
from or_mcp.runs.transaction import Transaction
from or_mcp.runs.weight import forget_weight

_BREATH_SECONDS = 0.05


async def book(store: Store) -> None:
    """Bring into the ledger what programs wrote that do not know it; whoever pays is not held up to find nothing."""
    if await store.read(ledger.is_behind):
        await _bit_by_bit(store, partial(ledger.book_others, since=0.0))


async def forget(store: Store, since: datetime, forget_files: Callable[[datetime], None] | None) -> None:
    """Delete what is older. What it cost stays in the ledger."""
    await book(store)
    await _bit_by_bit(store, partial(queries.forget_before, since=since))
    await store.write(ledger.forget)
    if store.is_fleet:
        await store.write(forget_processes)
    await store.write(partial(forget_weight, since=since))
    if forget_files is not None:
        await anyio.to_thread.run_sync(forget_files, since)


def lose(tx: Transaction, run_id: str) -> tuple[RunRecord | None, bool]:
    """Say of a run that nobody carries it; how it stands, and whether that was news."""
    is_news = ledger.lose(tx, run_id)
    return queries.find(tx, run_id, None), is_news


async def _bit_by_bit(store: Store, work: Callable[[Transaction], int]) -> None:
    # One process at a time, and whoever pays has the store in between.
    while await store.write(work, alone=["upkeep"]) > 0:  # noqa: ASYNC110 - nothing tells of it
        await anyio.sleep(_BREATH_SECONDS)
