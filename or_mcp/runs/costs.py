"""Costs that were not told: upstream knows what a generation cost, some seconds after it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import anyio

from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure, NotFound
from or_mcp.runs import ledger, queries
from or_mcp.runs.admission import drawn_on
from or_mcp.runs.amounts import days_ago
from or_mcp.runs.record import RunRecord
from or_mcp.runs.store import Store

logger = logging.getLogger(__name__)

# A second apart: upstream knows a generation some seconds after its call.
_LOOKUPS = 5


class Costs:
    """Looks costs up, with the key that paid."""

    def __init__(self, store: Store, spent: Callable[[str, Decimal], None] | None) -> None:
        self._store = store
        self._spent = spent
        self._payers: dict[str, OpenRouter] = {}

    def pays(self, payer: str, upstream: OpenRouter) -> bool:
        """Remember a key, in memory only; whether it is a new one."""
        is_new = payer not in self._payers
        self._payers[payer] = upstream
        return is_new

    def upstream_of(self, payer: str) -> OpenRouter | None:
        """The API as this payer reaches it, if its key is known here."""
        return self._payers.get(payer)

    def known(self, tool: str, cost: Decimal | None) -> None:
        """A run's cost is known: whoever counts what is spent is told."""
        if cost and self._spent is not None:
            self._spent(tool, cost)

    async def learn_all(self, payer: str) -> None:
        """Learn the costs that nobody stayed for."""
        records = await self._store.read(partial(queries.without_cost, payer=payer, since=days_ago(1)))
        async with anyio.create_task_group() as group:
            for record in records:
                group.start_soon(self.learn, record)

    async def learn(self, record: RunRecord) -> None:
        """Learn the cost of a run that ended without one."""
        upstream, generation_id = self._payers.get(record.request.payer), record.generation_id
        if upstream is None or generation_id is None:
            return
        for _ in range(_LOOKUPS):
            try:
                cost = (await upstream.generation(generation_id)).total_cost
            except NotFound:
                await anyio.sleep(1)
                continue
            except Failure as trouble:
                logger.info("The cost of %s could not be looked up: %s", record.run_id, trouble.message)
                return
            except Exception:
                logger.exception("The cost of %s could not be looked up", record.run_id)
                return
            if cost is not None:
                await self._learnt(record, cost)
            return

    async def _learnt(self, record: RunRecord, cost: Decimal) -> None:
        learn = partial(ledger.learn, run_id=record.run_id, cost=cost)
        alone = [record.run_id, *drawn_on(record.request)]
        if await self._store.keep(f"cost {record.run_id}", learn, alone=alone) is not False:
            self.known(record.request.tool, cost)
