"""Runs as somebody may see them: a caller its own, and whoever owns the machine all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from or_mcp.runs import queries
from or_mcp.runs.budget import Standing
from or_mcp.runs.pieces import Context
from or_mcp.runs.record import RunEvent, RunRecord
from or_mcp.runs.spending import Spending, spending_since

if TYPE_CHECKING:
    from or_mcp.runs.runner import Runner


@dataclass(frozen=True, slots=True)
class AllRuns:
    """Everybody's runs. Whoever has a record was allowed to see it."""

    runner: Runner

    @property
    def whose(self) -> str | None:
        """Which caller's; None is everybody's."""
        return None

    async def find(self, run_id: str) -> RunRecord:
        """A run as it stands.

        Raises:
            NotFound: There is no such run, or it is another caller's.
        """
        return await self.runner.find_for(self.whose, run_id)

    async def cancel(self, run_id: str) -> RunRecord:
        """Stop a run, whichever process carries it, and wait until it has stopped."""
        record = await self.find(run_id)
        if record.finished:
            return record
        await self.runner.stop(run_id)
        return await self.find(run_id)

    async def latest(self, limit: int) -> list[RunRecord]:
        """The newest first."""
        records = await self.runner.store.read(partial(queries.latest, caller=self.whose, limit=limit))
        return [await self.runner.as_it_stands(record) for record in records]

    async def context(self, record: RunRecord) -> Context | None:
        """What a run was asked in."""
        return await self.runner.store.read(partial(queries.context_of, run_id=record.run_id))

    async def events(self, record: RunRecord) -> list[RunEvent]:
        """What happened in a run, in order."""
        return await self.runner.store.read(partial(queries.events_of, run_id=record.run_id))


@dataclass(frozen=True, slots=True)
class Runs(AllRuns):
    """One caller's runs, and what they cost it."""

    caller: str
    payer: str

    @property
    def whose(self) -> str:
        """Which caller's."""
        return self.caller

    async def standing(self, *, recent: bool = False) -> Standing:
        """Where the caller stands today; `recent` is content with where it stood when its last run ended just now."""
        return await self.runner.standings.of(self.caller, self.payer, recent=recent)

    async def made_generation(self, generation_id: str) -> bool:
        """Whether a generation came of one of them."""
        made = partial(queries.made_generation, caller=self.caller, generation_id=generation_id)
        return await self.runner.store.read(made)

    async def lost_like(self, fingerprint: str) -> RunRecord | None:
        """The newest run of the same question, if its process was lost and nobody has been told of it."""
        newest = partial(queries.latest_like, caller=self.caller, fingerprint=fingerprint)
        found = await self.runner.store.read(newest)
        record = None if found is None else await self.runner.as_it_stands(found)
        return record if record is not None and record.status == "interrupted" and not record.delivered else None

    async def spending(self, since: datetime) -> Spending:
        """What was spent, from the day of a time on."""
        return await self.runner.store.read(lambda tx: spending_since(tx, self.caller, since))
