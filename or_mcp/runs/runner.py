"""Carries runs. They live as long as the server, not as long as the request that asked for them."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from json import dumps

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import DeadlinePassed, Failure, NotFound
from or_mcp.runs import queries
from or_mcp.runs.budget import Limits, Room, Standing, reserve, room, standing
from or_mcp.runs.costs import Costs
from or_mcp.runs.endings import Crash, Ending, stopped
from or_mcp.runs.key_limit import Heard
from or_mcp.runs.live import HEARTBEAT_SECONDS, LiveRun, Tell, Work
from or_mcp.runs.record import RunEvent, RunRecord, RunRequest, Status, new_run_id
from or_mcp.runs.store import Store

logger = logging.getLogger(__name__)

GRACE_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.3
_RECOVER_EVERY_SECONDS = 5.0
_FORGET_EVERY_SECONDS = 24 * 3600.0
_RECENT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that was started, or one of the same question that was found."""

    run_id: str
    replayed: bool


class Runner:
    """Starts, joins, waits for and cancels runs."""

    def __init__(
        self,
        store: Store,
        limits: Limits,
        *,
        deadline_seconds: float,
        retention_days: int,
        forget_files: Callable[[datetime], None] | None = None,
        spent: Callable[[str, Decimal], None] | None = None,
    ) -> None:
        self.store = store
        self.limits = limits
        self._deadline_seconds = deadline_seconds
        self._retention_days = retention_days
        self._forget_files = forget_files
        self._live: dict[str, LiveRun] = {}
        self._standings: dict[str, tuple[Standing, float]] = {}
        self._costs = Costs(store, spent)
        self._waits: set[anyio.CancelScope] = set()
        self._tasks: TaskGroup | None = None
        self.stopping = False
        self.takes_runs = True

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Runner]:
        """Carry runs while this block lasts; at its end those in flight get some time to finish."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            tasks.start_soon(self._watch)
            tasks.start_soon(self._forget)
            try:
                yield self
            finally:
                with anyio.CancelScope(shield=True):
                    await self._drain()
                tasks.cancel_scope.cancel()
        self.store.close()

    def pays(self, payer: str, upstream: OpenRouter) -> None:
        """Remember, in memory only, with which key costs can be looked up; those that were left open are, now."""
        if self._costs.pays(payer, upstream):
            self._group.start_soon(self._costs.learn_all, payer)

    async def join(self, request: RunRequest) -> Begun | None:
        """A run of the same question that is under way or was never received: it costs nothing more."""
        same = await self.store.run(partial(self._same, request=request))
        return Begun(same.run_id, replayed=True) if same is not None else None

    async def room(self, request: RunRequest, key: Heard | None) -> Room:
        """What a call may cost now."""
        return await self.store.run(
            lambda connection: room(connection, request.payer, request.ceiling_usd, self.limits, key)
        )

    async def settled_today(self, payer: str) -> Decimal:
        """What runs that ended today have cost a payer."""
        return await self.store.run(lambda connection: queries.settled_today(connection, payer))

    async def paid_by(self, payer: str, tool: str, models: tuple[str, ...]) -> list[RunRecord]:
        """The latest runs of a tool with these models whose cost is known."""
        return await self.store.run(lambda connection: queries.paid_by(connection, payer, tool, models))

    async def begin(
        self,
        request: RunRequest,
        make: Callable[[], Work],
        *,
        key: Heard | None = None,
        run_id: str | None = None,
    ) -> Begun:
        """Start a run, or join one of the same question that is under way or was never received.

        `run_id` is what a run that is started here is to be called.

        Raises:
            OverBudget: It may cost more than is allowed. Nothing was sent.
            Ending: This process takes no new runs. Nothing was sent.
        """
        if not self.takes_runs:
            raise Ending("This process of or-mcp is ending and sends nothing more; another one answers in a moment")
        admit = partial(self._admit, request=request, key=key, run_id=run_id or new_run_id())
        record, joined = await self.store.run(admit)
        if not joined:
            live = LiveRun(record, make(), self.store)
            self._live[record.run_id] = live
            self._group.start_soon(self._carry, live)
            self._group.start_soon(live.keep_saved)
        return Begun(record.run_id, joined)

    async def find(self, run_id: str, caller: str | None) -> RunRecord:
        """A run as it stands.

        Raises:
            NotFound: There is no such run, or it is another caller's.
        """
        live = self._live.get(run_id)
        if live is not None and caller in (None, live.record.caller):
            return live.taken() if not live.record.finished else live.record
        record = await self.store.run(lambda connection: queries.find(connection, run_id, caller))
        if record is None:
            raise NotFound(f"There is no run {run_id!r}")
        return await self._still_carried(record)

    async def wait(
        self,
        run_id: str,
        caller: str | None,
        seconds: float,
        tell: Tell | None = None,
        *,
        cancels: bool = False,
    ) -> RunRecord:
        """The run when it has finished, or as it stands after so many seconds.

        With `cancels`, a cancelled wait cancels the run, unless somebody else waits for it or the server is stopping.
        """
        live = self._live.get(run_id)
        if live is not None:
            live.waiting += 1
        waiting = anyio.move_on_after(seconds)
        self._waits.add(waiting)
        try:
            with waiting:
                await self._until_finished(run_id, caller, tell)
        except anyio.get_cancelled_exc_class():
            if live is not None and cancels and live.waiting == 1 and not self.stopping:
                live.scope.cancel()
            raise
        finally:
            self._waits.discard(waiting)
            if live is not None:
                live.waiting -= 1
        if live is not None and live.finished.is_set():
            return live.record
        return await self.find(run_id, caller)

    def answer_now(self) -> None:
        """Whoever waits is answered with how its run stands."""
        for waiting in self._waits:
            waiting.cancel()

    @property
    def live_count(self) -> int:
        """How many runs this process carries."""
        return len(self._live)

    async def cancel(self, run_id: str, caller: str | None) -> RunRecord:
        """Stop a run, whichever process carries it, and wait until it has stopped."""
        record = await self.find(run_id, caller)
        if record.finished:
            return record
        live = self._live.get(run_id)
        if live is not None:
            live.scope.cancel()
        else:
            await self.store.run(lambda connection: queries.ask_to_cancel(connection, run_id))
        return await self.wait(run_id, caller, GRACE_SECONDS)

    async def latest(self, caller: str | None, limit: int) -> list[RunRecord]:
        """The newest runs first."""
        records = await self.store.run(lambda connection: queries.latest(connection, caller, limit))
        return [await self._still_carried(record) for record in records]

    async def context(self, run_id: str) -> str | None:
        """What a run was asked in."""
        return await self.store.run(partial(queries.context_of, run_id=run_id))

    async def events(self, run_id: str) -> list[RunEvent]:
        """What happened in a run, in order."""
        return await self.store.run(lambda connection: queries.events_of(connection, run_id))

    async def standing(self, caller: str, payer: str, *, recent: bool = False) -> Standing:
        """Where a caller stands today; `recent` is content with where it stood when its last run ended just now."""
        known = self._standings.get(caller)
        if recent and known is not None and anyio.current_time() - known[1] < _RECENT_SECONDS:
            return known[0]
        return await self.store.run(lambda connection: standing(connection, caller, payer, self.limits))

    async def made_generation(self, caller: str, generation_id: str) -> bool:
        """Whether a generation came of a run of this caller."""
        return await self.store.run(lambda connection: queries.made_generation(connection, caller, generation_id))

    async def spending(self, caller: str, since: datetime) -> queries.Spending:
        """The ledger of a time."""
        return await self.store.run(lambda connection: queries.spending_since(connection, caller, since))

    def delivered(self, run_id: str) -> None:
        """Its answer has reached somebody: the same question asked again is a new one."""
        self.store.post(partial(queries.mark_delivered, run_id=run_id))

    @property
    def kept_seconds(self) -> float:
        """How long a run can be read back, counted from its start."""
        return max(self._retention_days * 24 * 3600.0, self._deadline_seconds)

    @property
    def _group(self) -> TaskGroup:
        if self._tasks is None:
            msg = "the runner is not running"
            raise RuntimeError(msg)
        return self._tasks

    def _admit(
        self, connection: sqlite3.Connection, *, request: RunRequest, key: Heard | None, run_id: str
    ) -> tuple[RunRecord, bool]:
        same = self._same(connection, request)
        if same is not None:
            return same, True
        record = RunRecord(
            run_id=run_id,
            tool=request.tool,
            caller=request.caller,
            payer=request.payer,
            fingerprint=request.fingerprint,
            arguments=dumps(request.arguments, ensure_ascii=False),
            models=request.models,
            prompt=request.prompt,
            started=datetime.now(UTC),
            owner=self.store.owner.token,
            low_usd=request.low_usd,
            high_usd=request.high_usd,
            most_usd=request.most_usd,
            charged_usd=reserve(connection, request, self.limits, key),
        )
        queries.save(connection, record, context=request.context)
        return record, False

    def _same(self, connection: sqlite3.Connection, request: RunRequest) -> RunRecord | None:
        same = queries.find_same(connection, request.caller, request.fingerprint)
        return same if same is not None and (same.finished or self.store.owner.is_alive(same.owner)) else None

    async def _carry(self, live: LiveRun) -> None:
        status: Status = "completed"
        failure: Failure | None = None
        # Whoever cancels the server does not cancel its runs: only their own scope ends them.
        with anyio.CancelScope(shield=True), live.scope:
            try:
                with anyio.fail_after(self._deadline_seconds):
                    await live.work.carry_out(live)
            except Failure as trouble:
                status, failure = "failed", trouble
            except TimeoutError:
                status, failure = "failed", self._too_long()
            except Exception:
                logger.exception("Run %s crashed", live.record.run_id)
                status, failure = "failed", Crash("or-mcp itself failed", may_be_billed=True)
        if live.scope.cancelled_caught:
            status, failure = live.ending, stopped(live.ending)
        with anyio.CancelScope(shield=True):
            await self._finish(live, status, failure)

    async def _finish(self, live: LiveRun, status: Status, failure: Failure | None) -> None:
        record = live.taken()
        if failure is not None and record.generation_id is None:
            record = replace(record, generation_id=failure.generation_id)
        caller, payer = record.caller, record.payer
        where = await live.finish(
            record.end(status, failure), lambda connection: standing(connection, caller, payer, self.limits)
        )
        self._standings[caller] = (where, anyio.current_time())
        self._live.pop(live.record.run_id, None)
        live.finished.set()
        self._costs.known(live.record.tool, live.record.cost_usd)
        if live.record.cost_usd is None and live.record.generation_id and not self.stopping:
            self._group.start_soon(self._costs.learn, live.record)

    def _too_long(self) -> DeadlinePassed:
        return DeadlinePassed(
            f"The run was stopped after {self._deadline_seconds:.0f} s (OR_MCP_RUN_DEADLINE_SECONDS)",
            may_be_billed=True,
        )

    async def _until_finished(self, run_id: str, caller: str | None, tell: Tell | None) -> None:
        live = self._live.get(run_id)
        if live is None:
            await self._until_finished_elsewhere(run_id, caller, tell)
        elif tell is None:
            await live.finished.wait()
        else:
            await live.narrate(tell)

    async def _until_finished_elsewhere(self, run_id: str, caller: str | None, tell: Tell | None) -> None:
        """Another process carries it: the store is all that is shared."""
        told, told_at = None, anyio.current_time()
        while not (record := await self.find(run_id, caller)).finished:
            now = anyio.current_time()
            if tell and record.progress and (record.progress != told or now - told_at >= HEARTBEAT_SECONDS):
                await tell(record.progress)
                told, told_at = record.progress, now
            await anyio.sleep(_LOOK_EVERY_SECONDS)

    async def _still_carried(self, record: RunRecord) -> RunRecord:
        """A run left behind by a process that is gone is interrupted."""
        if record.finished or record.run_id in self._live or self.store.owner.is_alive(record.owner):
            return record
        ended, by_us = await self.store.run(partial(self._interrupt, left=record))
        if by_us and ended.cost_usd is None and ended.generation_id:
            self._group.start_soon(self._costs.learn, ended)
        return ended

    def _interrupt(self, connection: sqlite3.Connection, left: RunRecord) -> tuple[RunRecord, bool]:
        """End a run that nobody carries, unless another process was first."""
        record = queries.find(connection, left.run_id, None) or left
        if record.finished:
            return record, False
        record = record.end("interrupted", stopped("interrupted"))
        queries.save(connection, record)
        return record, True

    async def _watch(self) -> None:
        """Recover what dead processes leave, and keep an eye on requests to cancel."""
        recovered = -_RECOVER_EVERY_SECONDS
        while True:
            if anyio.current_time() - recovered >= _RECOVER_EVERY_SECONDS:
                for record in await self.store.run(queries.running):
                    await self._still_carried(record)
                recovered = anyio.current_time()
            if self._live:
                owner = self.store.owner.token
                for run_id in await self.store.run(partial(queries.cancel_requests, owner=owner)):
                    if run_id in self._live:
                        self._live[run_id].scope.cancel()
            await anyio.sleep(_LOOK_EVERY_SECONDS)

    async def _forget(self) -> None:
        while True:
            moment = queries.days_ago(self._retention_days)
            await self.store.run(partial(queries.forget_before, moment=moment))
            if self._forget_files is not None:
                await anyio.to_thread.run_sync(self._forget_files, moment)
            await anyio.sleep(_FORGET_EVERY_SECONDS)

    async def _drain(self) -> None:
        """Runs in flight get some time to finish; what has arrived by then is recorded."""
        self.stopping = True
        with anyio.move_on_after(GRACE_SECONDS):
            while self._live:
                await next(iter(self._live.values())).finished.wait()
        await self.interrupt()

    async def interrupt(self) -> None:
        """Stop every run now, recording what has arrived."""
        self.stopping = True
        for live in list(self._live.values()):
            live.ending = "interrupted"
            live.scope.cancel()
        while self._live:
            await next(iter(self._live.values())).finished.wait()
