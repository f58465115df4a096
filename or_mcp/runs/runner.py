"""Carries runs, which live as long as the server."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from decimal import Decimal
from functools import partial

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio.abc import TaskGroup

from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import NotFound
from or_mcp.runs import queries, upkeep
from or_mcp.runs.admission import Admission, Begun
from or_mcp.runs.amounts import days_ago
from or_mcp.runs.apart import again_and_again, apart
from or_mcp.runs.budget import Limits, standing
from or_mcp.runs.costs import Costs
from or_mcp.runs.desk import Desk
from or_mcp.runs.elsewhere import Elsewhere
from or_mcp.runs.endings import Ending, StoreAway, our_fault, stopped
from or_mcp.runs.jobs import Jobs, Resume, outlives_its_process
from or_mcp.runs.key_limit import Heard
from or_mcp.runs.learned import Learned
from or_mcp.runs.live import SAVES_LOOK_EVERY_SECONDS, LiveRun, Work
from or_mcp.runs.record import RunRecord, RunRequest, new_run_id
from or_mcp.runs.seen import AllRuns, Runs
from or_mcp.runs.session import Session, Waiter
from or_mcp.runs.standings import Standings
from or_mcp.runs.store import Store
from or_mcp.runs.unattended import Unwatched, age_of
from or_mcp.runs.waits import Waits

logger = logging.getLogger(__name__)

# Longer than a carrier takes to notice a wish to cancel and to close its connection.
_CANCELLED_WITHIN_SECONDS = 10.0
# What other processes write is looked at: a wish to cancel must close the connection within a second.
# Dead processes are looked for less often, and what has grown old once a day.
_LOOK_EVERY_SECONDS = 0.3
_RECOVER_EVERY_SECONDS = 5.0
# At its start a process has better to do.
_FORGET_EVERY_SECONDS, _FORGET_FIRST_AFTER_SECONDS = 24 * 3600.0, 60.0


class Runner:
    """Starts, joins, waits for and cancels runs."""

    def __init__(
        self,
        store: Store,
        limits: Limits,
        *,
        deadline_seconds: float,
        drain_seconds: float,
        retention_days: int,
        forget_files: Callable[[datetime], None] | None = None,
        spent: Callable[[str, Decimal], None] | None = None,
        lost: Callable[[], None] | None = None,
        learned: Learned | None = None,
        resume: Resume | None = None,
    ) -> None:
        self.store = store
        self.limits = limits
        self._deadline_seconds = deadline_seconds
        self._drain_seconds = drain_seconds
        self._retention_days = retention_days
        self._forget_files = forget_files
        self._lost = lost
        self._live: dict[str, LiveRun] = {}
        # Those that have ended, and are still to be written.
        self._ended: dict[str, LiveRun] = {}
        self.admission = Admission(store, limits)
        self.standings = Standings(store, limits)
        self._costs = Costs(store, spent)
        self._jobs = Jobs(store, self._costs, resume)
        self._elsewhere = Elsewhere(store, self._ended.__contains__)
        self.desk = Desk(store, self._live.__contains__)
        self.waits = Waits(self._live, self._elsewhere, self.desk, self._given_up)
        self.learned = learned or Learned(None)
        self.unwatched = Unwatched(self._live, limits, self.learned)
        self._tasks: TaskGroup | None = None
        self.stopping = False
        self.takes_runs = True

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Runner]:
        """Carry runs while this block lasts; at its end those in flight get some time to finish."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            tasks.start_soon(again_and_again, self._watch, _LOOK_EVERY_SECONDS)
            tasks.start_soon(again_and_again, self._save, SAVES_LOOK_EVERY_SECONDS)
            tasks.start_soon(again_and_again, self._recover, _RECOVER_EVERY_SECONDS)
            tasks.start_soon(again_and_again, self._forget, _FORGET_EVERY_SECONDS, _FORGET_FIRST_AFTER_SECONDS)
            try:
                yield self
            finally:
                with anyio.CancelScope(shield=True):
                    await self._drain()
                tasks.cancel_scope.cancel()
        await anyio.to_thread.run_sync(self.store.close)

    def pays(self, payer: str, upstream: OpenRouter) -> None:
        """Remember, in memory only, with which key costs can be looked up; those that were left open are, now."""
        if self._costs.pays(payer, upstream):
            self._group.start_soon(apart, self._costs.learn_all, payer)

    async def begin(
        self, request: RunRequest, work: Work, *, key: Heard | None = None, run_id: str | None = None
    ) -> Begun:
        """Start a run, or join one of the same question that is under way or was never received.

        `run_id` is what a run that is started here is to be called.

        Raises:
            OverBudget: It may cost more than is allowed. Nothing was sent.
            StoreAway: It cannot be recorded. Nothing was sent.
            Ending: This process takes no new runs. Nothing was sent.
        """
        if not self.takes_runs:
            raise Ending("This process of or-mcp is ending and sends nothing more; another one answers in a moment")
        record, joined = await self.admission.admit(request, key, run_id or new_run_id())
        if not joined:
            self._take(LiveRun(record, work, self.store))
        return Begun(record.run_id, joined)

    def _take(self, live: LiveRun) -> LiveRun:
        self._live[live.record.run_id] = live
        self._group.start_soon(apart, self._carry, live)
        return live

    def of(self, caller: str, payer: str) -> Runs:
        """A caller's runs: the way to every one that is not everybody's."""
        return Runs(self, caller, payer)

    def everybodys(self) -> AllRuns:
        """All runs, for whoever owns the machine."""
        return AllRuns(self)

    async def find_for(self, caller: str | None, run_id: str) -> RunRecord:
        """What `Runs.find` promises."""
        live = self._live.get(run_id) or self._ended.get(run_id)
        if live is not None and caller in (None, live.record.request.caller):
            return live.record if live.record.finished else live.taken()
        record = await self.store.read(lambda tx: queries.find(tx, run_id, caller))
        if record is None:
            raise NotFound(f"There is no run {run_id!r}")
        return await self._still_carried(record)

    def _given_up(self, live: LiveRun, waiter: Waiter) -> None:
        if not self.stopping:
            self._group.start_soon(apart, self.unwatched.part, live, waiter, age_of(waiter))

    def part(self, session: Session) -> None:
        """A session has ended, and this process goes on: so do its runs, as far as there is room for them."""
        for live in self.unwatched.left_by(session):
            self._group.start_soon(apart, self.unwatched.interrupt_later, live, self._drain_seconds)

    @property
    def live_count(self) -> int:
        """How many runs this process carries."""
        return len(self._live)

    async def stop(self, run_id: str) -> None:
        """Stop a run, whichever process carries it, and wait a while until it has stopped."""
        live = self._live.get(run_id)
        if live is not None:
            live.scope.cancel()
        else:
            await self.store.write(lambda tx: queries.ask_to_cancel(tx, run_id))
        await self.waits.until_finished(run_id, _CANCELLED_WITHIN_SECONDS)

    @property
    def kept_seconds(self) -> float:
        """How long a run can be read back, counted from its start."""
        return max(self._retention_days * 24 * 3600.0, self._deadline_seconds)

    @property
    def _group(self) -> TaskGroup:
        if self._tasks is None:
            raise RuntimeError("the runner is not running")
        return self._tasks

    async def _carry(self, live: LiveRun) -> None:
        # Whoever cancels the server does not cancel its runs: only their own scope ends them.
        with anyio.CancelScope(shield=True):
            with live.within(self._deadline_seconds):
                await live.work.carry_out(live)
            is_left = live.is_left and live.scope.cancelled_caught
            await (self._leave(live) if is_left else self._finish(live))

    async def _leave(self, live: LiveRun) -> None:
        """Stop carrying what upstream carries: whoever sees it next goes on with it."""
        with suppress(Exception):
            await live.save(live.taken())
        self._live.pop(live.record.run_id, None)
        live.finished.set()

    async def _finish(self, live: LiveRun) -> None:
        try:
            await self._end(live)
        except Exception:
            # What arrived before is kept.
            logger.exception("Run %s could not be ended", live.record.run_id)
            with suppress(Exception):
                await live.finish(live.record.end("failed", our_fault()), lambda _: None)
            live.record = live.record if live.record.finished else live.record.end("failed", our_fault())
        finally:
            run_id = live.record.run_id
            if self.store.is_unwritten(run_id):
                self._ended[run_id] = live
            self._live.pop(run_id, None)
            live.finished.set()
        self._costs.known(live.record.request.tool, live.record.cost_usd)
        if live.record.cost_usd is None and live.record.generation_id and not self.stopping:
            self._group.start_soon(apart, self._costs.learn, live.record)

    async def _end(self, live: LiveRun) -> None:
        caller, payer = live.record.request.caller, live.record.request.payer
        where = await live.finish(live.ended(), lambda tx: standing(tx, caller, payer, self.limits))
        if where is not None:
            self.standings.note(caller, where)

    async def as_it_stands(self, record: RunRecord) -> RunRecord:
        """A run that was read, as it is by now."""
        live = self._live.get(record.run_id) or self._ended.get(record.run_id)
        return live.record if live is not None else await self._still_carried(record)

    async def _still_carried(self, record: RunRecord) -> RunRecord:
        """A run left behind by a process that is gone is interrupted, unless it can go on here."""
        if record.finished or self._is_carried(record.run_id, record.owner):
            return record
        try:
            return await self._left_behind(record.run_id, record.owner) or record
        except StoreAway:
            return record.end("interrupted", stopped("interrupted"))

    def _is_carried(self, run_id: str, owner: str) -> bool:
        if owner == self.store.owner.token:
            return run_id in self._live or run_id in self._ended or run_id in self.admission.beginning
        return self.store.is_alive(owner)

    async def _left_behind(self, run_id: str, by: str) -> RunRecord | None:
        left = await self.store.read(partial(queries.find, run_id=run_id, caller=None))
        if left is not None and outlives_its_process(left):
            live = None if self.stopping else await self._jobs.taken_over(left, by)
            return left if live is None else self._take(live).record
        ended, is_news = await self.store.write(partial(upkeep.lose, run_id=run_id), alone=[run_id])
        if is_news and self._lost is not None:
            self._lost()
        if is_news and ended is not None and ended.cost_usd is None and ended.generation_id:
            self._group.start_soon(apart, self._costs.learn, ended)
        return ended

    async def _watch(self) -> None:
        """Keep an eye on requests to cancel, on runs of others, on answers, and on what has been written at last."""
        await self.desk.look()
        for run_id in self._live.keys() & await self._elsewhere.look(is_carrying=bool(self._live)):
            self._live[run_id].scope.cancel()
        for run_id in [run_id for run_id in self._ended if not self.store.is_unwritten(run_id)]:
            del self._ended[run_id]

    async def _save(self) -> None:
        for live in list(self._live.values()):
            live.save_what_grew()
            await anyio.lowlevel.checkpoint()

    async def _recover(self) -> None:
        """End what dead processes left, and book what programs wrote that do not know the ledger."""
        for run_id, owner in (await self.store.strays()).items():
            if run_id not in self._live.keys() | self._ended.keys() | self.admission.beginning:
                await self._left_behind(run_id, owner)
        if not self.store.is_fleet:
            await upkeep.book(self.store)

    async def _forget(self) -> None:
        await upkeep.forget(self.store, days_ago(self._retention_days), self._forget_files)

    async def _drain(self) -> None:
        """Runs in flight get some time to finish, but what upstream carries; what has arrived by then is recorded."""
        self.stopping = True
        with anyio.move_on_after(self._drain_seconds):
            while (live := next((each for each in self._live.values() if each.record.job is None), None)) is not None:
                await live.finished.wait()
        await self.interrupt()

    async def interrupt(self) -> None:
        """Stop every run now, recording what has arrived."""
        self.stopping = True
        for live in list(self._live.values()):
            live.ending, live.is_left = "interrupted", live.record.job is not None and not live.scope.cancel_called
            live.scope.cancel()
        while self._live:
            await next(iter(self._live.values())).finished.wait()
