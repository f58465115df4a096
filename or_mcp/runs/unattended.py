"""Runs that nobody waits for: why they go on, and how many may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import anyio

from or_mcp.runs.budget import Limits
from or_mcp.runs.learned import Learned
from or_mcp.runs.live import LiveRun
from or_mcp.runs.session import LeftBehind, Waiter
from or_mcp.runs.waiting import is_anybodys, is_by_a_person, is_near_a_limit, is_time_out, limit_of

# More than one session asks at once; what goes on unseen must have an end.
MOST_RUNS = 8


@dataclass(frozen=True, slots=True)
class Unattended:
    """How many runs of a caller go on with nobody waiting, and what is set aside for them."""

    runs: int
    set_aside_usd: Decimal


class Unwatched:
    """Decides what becomes of a run when the last one who waited for it stops waiting."""

    def __init__(self, live: Mapping[str, LiveRun], limits: Limits, learned: Learned) -> None:
        self._live = live
        self._ceiling_usd = limits.per_call_usd
        self._learned = learned

    async def part(self, run: LiveRun, waiter: Waiter, age_seconds: float) -> None:
        """The last waiter's request was cancelled: a person's wish ends the run, a time-out does not."""
        goes_on = waiter.session.is_leaving or await self._is_no_wish(run.record.request.caller, waiter, age_seconds)
        if run.waiting or run.finished.is_set():
            return
        if goes_on and (run.record.job is not None or self.keep(run)):
            waiter.session.leaves(LeftBehind(run.record.run_id, run.record.request.tool))
        else:
            run.scope.cancel()

    def keep(self, run: LiveRun) -> bool:
        """Let a run go on with nobody waiting, if there is room for it."""
        held = self.of(run.record.request.caller)
        set_aside = held.set_aside_usd + run.record.charged_usd
        run.is_unattended = held.runs < MOST_RUNS and not (self._ceiling_usd and set_aside > self._ceiling_usd)
        return run.is_unattended

    def left_by(self, session: object) -> list[LiveRun]:
        """Those of a session's runs that nobody waits for now, and that there is no room for."""
        left = [run for run in self._live.values() if run.session is session and not run.waiting]
        return [run for run in left if not run.is_unattended and not self.keep(run)]

    async def interrupt_later(self, run: LiveRun, seconds: float) -> None:
        """End a run that has not ended by then, unless somebody waits for it or upstream carries it."""
        with anyio.move_on_after(seconds):
            await run.finished.wait()
        if not run.waiting and not run.finished.is_set() and run.record.job is None:
            run.ending = "interrupted"
            run.scope.cancel()

    def of(self, caller: str) -> Unattended:
        """What goes on unattended for a caller."""
        runs = [run.record for run in self._live.values() if run.is_unattended and run.record.request.caller == caller]
        return Unattended(len(runs), sum((record.charged_usd for record in runs), Decimal(0)))

    async def _is_no_wish(self, caller: str, waiter: Waiter, age_seconds: float) -> bool:
        reason = await waiter.session.reason(waiter.request_id)
        if is_time_out(reason):
            limit = limit_of(reason, age_seconds)
            waiter.session.limit = min(limit, waiter.session.limit or limit)
            if not is_anybodys(waiter.client):
                await self._learned.learn(caller, waiter.client, waiter.version, limit)
            return True
        seen = self._learned.limit_of(caller, waiter)
        return not is_by_a_person(reason) and is_near_a_limit(waiter.client, age_seconds, seen)


def age_of(waiter: Waiter) -> float:
    """How long a request has waited."""
    return anyio.current_time() - waiter.since
