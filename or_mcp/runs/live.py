"""A run under way in this process: what a tool does, what has come of it, and who hears of it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import anyio

from or_mcp.openrouter.errors import Failure
from or_mcp.runs import queries
from or_mcp.runs.admission import drawn_on
from or_mcp.runs.endings import our_fault, stopped, too_long
from or_mcp.runs.record import Progress, RunEvent, RunRecord, Status
from or_mcp.runs.rows import Row
from or_mcp.runs.store import Store
from or_mcp.runs.transaction import Transaction

logger = logging.getLogger(__name__)

T = TypeVar("T")
Tell = Callable[[Progress], Awaitable[None]]

# With how often it is looked at, what has arrived is on disk within a second.
SAVES_LOOK_EVERY_SECONDS = 0.2
_SAVE_AFTER_SECONDS = 0.75
# Hosts count silence: they hear something at least every 5 s, and never more than they can show.
HEARTBEAT_SECONDS = 3.0
# As often as somebody can read it.
_TELL_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Kept:
    """What a tool wants kept of its work so far."""

    result: str
    cost_usd: Decimal | None = None
    generation_id: str | None = None
    outcome: str | None = None
    rows: tuple[Row, ...] = ()
    # Where the cost is not known: what it is at most, if that is less than what was set aside.
    at_most_usd: Decimal | None = None
    # Of several requests: what those so far have cost is not what the run has until it ends.
    in_parts: bool = False


class Work(Protocol):
    """What a tool does upstream, and what has come of it so far."""

    def kept(self) -> Kept:
        """Everything that has arrived."""
        ...

    def progress(self) -> Progress:
        """How far it has come."""
        ...

    async def carry_out(self, run: LiveRun) -> None:
        """Do it, telling the run of every step."""
        ...


class LiveRun:
    """A run under way in this process."""

    def __init__(self, record: RunRecord, work: Work, store: Store, steps: int = 0) -> None:
        self.record = record
        self.work = work
        self.waiting = 0
        self.is_unattended = False
        # Which session answers for it, for as long as that lasts.
        self.session: object = None
        self.finished = anyio.Event()
        self._changed: anyio.Event | None = None
        self.scope = anyio.CancelScope()
        self.ending: Status = "cancelled"
        self.came_to: tuple[Status, Failure | None] = "completed", None
        # Whoever stops carrying it leaves it to others.
        self.is_left = False
        self.limit = anyio.CancelScope()
        self._store = store
        self._saved = anyio.current_time()
        self._has_grown = False
        self._count = steps
        self._events: list[RunEvent] = []
        self._writing: asyncio.Future[Any] | None = None

    @contextmanager
    def within(self, seconds: float) -> Generator[None]:
        """Let it be carried out in this block, unless it is stopped or takes too long; `came_to` is how it ended."""
        with self.scope:
            try:
                with anyio.fail_after(math.inf if self.record.job else seconds) as self.limit:
                    yield
            except Failure as trouble:
                self.came_to = "failed", trouble
            except TimeoutError:
                self.came_to = "failed", too_long(seconds)
            except Exception:
                logger.exception("Run %s crashed", self.record.run_id)
                self.came_to = "failed", our_fault()
        if self.scope.cancelled_caught:
            self.came_to = self.ending, stopped(self.ending)

    async def told(self, step: str, model: str = "", detail: str = "") -> None:
        """A step has happened: it is on disk when this returns."""
        self._happened(step, model, detail)
        await self.save(self.taken())

    def noted(self, step: str, model: str = "", detail: str = "") -> None:
        """A step has happened: it will be on disk in a moment, and nobody waits for that."""
        self._happened(step, model, detail)
        self._save_soon()

    async def handed_over(self, job: str) -> None:
        """Upstream carries it from here on, and it is on disk with what job that is: nothing is to be sent again.

        However long it takes there, it is no run of ours that takes too long.
        """
        self.record = replace(self.record, job=job)
        self.limit.deadline = math.inf
        await self.save(self.taken(), durable=True)

    def grew(self) -> None:
        """More text has arrived; it will be on disk in a second."""
        self._has_grown = True
        self._wake()

    def save_what_grew(self) -> None:
        """Put on disk what has grown, and for those who watch from another process how it goes, if it is time."""
        seconds = anyio.current_time() - self._saved
        is_due = seconds >= (_SAVE_AFTER_SECONDS if self._has_grown else HEARTBEAT_SECONDS)
        is_being_written = self._writing is not None and not self._writing.done()
        if is_due and not is_being_written and not self.record.finished:
            try:
                self._save_soon()
            except Exception:
                # What could not be saved now is saved with what comes next, at the latest at the end.
                logger.exception("Run %s could not be saved", self.record.run_id)

    def taken(self) -> RunRecord:
        """The record with everything the work holds."""
        kept = self.work.kept()
        return replace(
            self.record,
            result=kept.result,
            cost_usd=None if kept.in_parts else kept.cost_usd,
            generation_id=None if kept.in_parts else kept.generation_id,
            outcome=kept.outcome,
            rows=kept.rows,
            progress=self.work.progress(),
        )

    def ended(self) -> RunRecord:
        """The same, ended now."""
        kept = self.work.kept()
        record = replace(self.taken(), cost_usd=kept.cost_usd, generation_id=kept.generation_id)
        status, failure = self.came_to
        if failure is not None and record.generation_id is None:
            record = replace(record, generation_id=failure.generation_id)
        return record.end(status, failure, kept.at_most_usd)

    async def save(self, record: RunRecord, *, durable: bool = False) -> None:
        """Put the run on disk as it stands."""
        saving = self._saving(record, _nothing)
        self._written(await self._store.keep(record.run_id, saving, durable=durable, alone=[record.run_id]))

    async def finish(self, record: RunRecord, then: Callable[[Transaction], T]) -> T | None:
        """Put the run on disk for the last time, and do something else with the store in the same breath.

        None if the store is away: the run is kept until it is back.
        """
        alone = [record.run_id, *drawn_on(record.request)]
        kept = await self._store.keep(record.run_id, self._saving(record, then), durable=True, alone=alone)
        return None if kept is None else kept[1]

    def _save_soon(self) -> None:
        saving = self._saving(self.taken(), _nothing)
        self._writing = self._store.post(self.record.run_id, saving, alone=[self.record.run_id])
        self._writing.add_done_callback(
            lambda writing: None if writing.cancelled() or writing.exception() else self._written(writing.result())
        )

    def _written(self, kept: tuple[int, object] | None) -> None:
        """Events up to this number need not be written again; None is one that waits."""
        if kept is not None:
            self._events = [event for event in self._events if event.n > kept[0]]

    def _happened(self, step: str, model: str, detail: str) -> None:
        self._count += 1
        self._events.append(RunEvent(datetime.now(UTC), step, model, detail, self._count))
        self._wake()

    def _saving(self, record: RunRecord, then: Callable[[Transaction], T]) -> Callable[[Transaction], tuple[int, T]]:
        """Write what is not written yet, and say up to which step, and what else came of it.

        A later one stands for all earlier ones: whoever waits for those is told what this says.
        """
        events = tuple(self._events)
        record = self.record = replace(record, seq=self.record.seq + 1)
        self._saved = anyio.current_time()
        self._has_grown = False

        def save(tx: Transaction) -> tuple[int, T]:
            queries.save(tx, record, events)
            return events[-1].n if events else 0, then(tx)

        return save

    async def narrate(self, tell: Tell) -> None:
        """Tell somebody how it goes until it has finished."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._tell_changes, tell)
            await self.finished.wait()
            group.cancel_scope.cancel()

    async def _tell_changes(self, tell: Tell) -> None:
        while True:
            await told_somehow(tell, self.work.progress())
            self._changed = self._changed or anyio.Event()
            with anyio.move_on_after(HEARTBEAT_SECONDS):
                await self._changed.wait()
            await anyio.sleep(_TELL_EVERY_SECONDS)

    def _wake(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None


async def told_somehow(tell: Tell, progress: Progress) -> None:
    """Tell somebody, who may have left: that is no trouble of the run's."""
    try:
        await tell(progress)
    except Exception:
        logger.info("Progress reached nobody", exc_info=True)


def _nothing(_tx: Transaction) -> None:
    """There is nothing else to do."""
