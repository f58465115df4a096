"""One thread that does blocking work for many tasks, as many pieces at once as are waiting."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Generic, TypeVar, cast

import anyio

from or_mcp.runs.transaction import Transaction

logger = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")

# How long what could not be done waits before it is tried again, unless something else is asked for earlier.
_AGAIN_SECONDS = 0.5
# What nobody waits for goes along with what is asked for in this time: a transaction costs the same for one as for all.
_RIDES_SECONDS = 0.05
# At the end of a process: longer than other programs usually hold a store.
_LAST_SECONDS = 75.0


class Job(Generic[ResultT]):
    """A piece of work, and the tasks that wait for it.

    Work with a `key` is never given up, and may be done more than once: what is asked for later under the same key
    stands for all that was asked before. `durable` work is on the disk itself when it is done. `alone` names what
    nobody else who shares the store may be at work on meanwhile.
    """

    def __init__(
        self,
        work: Callable[[Transaction], ResultT],
        *,
        key: str = "",
        durable: bool = False,
        alone: Iterable[str] = (),
        patience: float = 0,
    ) -> None:
        self.key = key
        self.durable = durable
        self.alone = frozenset(alone)
        self.settled = False
        self.work = work
        self._due = monotonic() + patience
        self.done: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting: list[asyncio.Future[Any]] = [self.done]
        self._result: ResultT | None = None
        self._error: BaseException | None = None

    @property
    def is_due(self) -> bool:
        """Whether whoever waits has waited long enough."""
        return monotonic() >= self._due

    def do(self, transaction: Transaction) -> None:
        """Do it, in the worker's thread."""
        self._result, self._error = self.work(transaction), None

    def refuse(self, error: BaseException) -> None:
        """It could not be done."""
        self._result, self._error = None, error

    def postpone(self) -> None:
        """It is to be done later: what came of trying counts for nothing."""
        self._result, self._error = None, None

    def replace(self, earlier: Job[Any]) -> None:
        """Stand for what was asked for earlier."""
        self._waiting += earlier._waiting
        self.durable = self.durable or earlier.durable
        self.alone |= earlier.alone

    def tell(self) -> None:
        """Have whoever waits told; their loop may be gone."""
        self._tell(self._result, self._error)

    def tell_that_it_waits(self) -> None:
        """Whoever waits need not any more: it is kept for later."""
        self._tell(None, None)

    def _tell(self, result: ResultT | None, error: BaseException | None) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            loop = future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_deliver, future, result, error)


def _deliver(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


class Worker:
    """Collects jobs and does them in batches; `carry` returns those that are to be tried again.

    While it `is_restless`, it tries even when there is nothing to do.
    """

    def __init__(
        self, carry: Callable[[list[Job[Any]]], list[Job[Any]]], name: str, *, is_restless: bool = False
    ) -> None:
        self._carry = carry
        # What is put in together is done together.
        self._queue: SimpleQueue[list[Job[Any]] | None] = SimpleQueue()
        self._riding: list[Job[Any]] = []
        self._ends = math.inf
        self._last_seconds = _LAST_SECONDS
        self.is_restless = is_restless
        self._thread = Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    async def run(self, job: Job[ResultT], *, to_its_end: bool = True) -> ResultT:
        """Have a piece of work done; `to_its_end` it is waited for even if the task is cancelled meanwhile."""
        self.post(job)
        with anyio.CancelScope(shield=to_its_end):
            try:
                await asyncio.wait([job.done])
            finally:
                # Nobody will look at what comes of it: a no-op where it has come.
                job.done.cancel()
        return job.done.result()

    def post(self, job: Job[Any]) -> None:
        """Have a piece of work done, after all that was asked for before it."""
        self._set_off(job)

    def ride(self, job: Job[Any]) -> None:
        """Have it done in a moment, together with what is asked for next."""
        if not self._riding:
            asyncio.get_running_loop().call_later(_RIDES_SECONDS, self._set_off)
        self._riding.append(job)

    @property
    def waiting(self) -> int:
        """How much nobody has begun."""
        return self._queue.qsize() + len(self._riding)

    def stop(self, last_seconds: float = _LAST_SECONDS) -> None:
        """Finish what is waiting, then end; what cannot be done in the end is given up."""
        self._last_seconds = last_seconds
        self._set_off()
        self._queue.put(None)
        self._thread.join()

    def _set_off(self, *jobs: Job[Any]) -> None:
        together, self._riding = [*self._riding, *jobs], []
        if together:
            self._queue.put(together)

    def _serve(self) -> None:
        left: list[Job[Any]] = []
        while True:
            jobs = _merged(left + self._collect(_AGAIN_SECONDS if left or self.is_restless else None))
            left = self._carried(jobs) if jobs or self.is_restless else []
            if monotonic() >= self._ends or (not left and self._ends < math.inf):
                return

    def _collect(self, seconds: float | None) -> list[Job[Any]]:
        """All that waits; if nothing does, what comes within so many seconds."""
        jobs: list[list[Job[Any]] | None] = []
        try:
            jobs.append(self._queue.get(timeout=seconds))
            while True:
                jobs.append(self._queue.get_nowait())
        except Empty:
            pass
        if None in jobs:
            self._ends = monotonic() + self._last_seconds
        return [job for together in jobs for job in together or ()]

    def _carried(self, jobs: list[Job[Any]]) -> list[Job[Any]]:
        try:
            return self._carry(jobs)
        except Exception as error:
            # This thread serves everybody: nothing that one job does may end it.
            logger.exception("The run store's thread stumbled")
            for job in jobs:
                job.refuse(error)
                job.tell()
            return []


def _merged(jobs: list[Job[Any]]) -> list[Job[Any]]:
    """The same work, where the latest under each key stands for the earlier."""
    merged: dict[object, Job[Any]] = {}
    for job in jobs:
        earlier = merged.pop(job.key, None) if job.key else None
        if earlier is not None:
            job.replace(earlier)
        merged[job.key or cast("object", job)] = job
    return list(merged.values())
