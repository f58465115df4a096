"""One thread that does blocking work for many tasks, as many pieces at once as are waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

import anyio

ResourceT = TypeVar("ResourceT")
ResultT = TypeVar("ResultT")


class Job(Generic[ResourceT, ResultT]):
    """A piece of work, and the task that waits for it."""

    def __init__(self, work: Callable[[ResourceT], ResultT]) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[ResultT] = self._loop.create_future()
        self._outcome: tuple[ResultT | None, BaseException | None] = (None, None)

    def do(self, resource: ResourceT) -> None:
        """Do it, in the worker's thread."""
        self._outcome = (self._work(resource), None)

    def refuse(self, error: BaseException) -> None:
        """It could not be done."""
        self._outcome = (None, error)

    def deliver(self) -> None:
        """Tell the task, in its own loop."""
        result, error = self._outcome
        if self.done.cancelled():
            return
        if error is not None:
            self.done.set_exception(error)
        else:
            self.done.set_result(result)  # pyright: ignore[reportArgumentType]

    def tell(self) -> None:
        """Have the task told; its loop may be gone."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.deliver)


class Worker(Generic[ResourceT]):
    """Collects jobs and does them in batches."""

    def __init__(self, do: Callable[[list[Job[ResourceT, object]]], None]) -> None:
        self._do = do
        self._queue: SimpleQueue[Job[ResourceT, object] | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name="or-mcp store", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[ResourceT], ResultT]) -> ResultT:
        """Have a piece of work done; it is done to its end even if the task is cancelled meanwhile."""
        done = self.post(work)
        with anyio.CancelScope(shield=True):
            await asyncio.wait([done])
        return done.result()

    def post(self, work: Callable[[ResourceT], ResultT]) -> asyncio.Future[ResultT]:
        """Have a piece of work done, after all that was asked for before it."""
        job: Job[ResourceT, ResultT] = Job(work)
        self._queue.put(job)  # pyright: ignore[reportArgumentType]
        return job.done

    @property
    def waiting(self) -> int:
        """How many jobs nobody has begun."""
        return self._queue.qsize()

    def stop(self) -> None:
        """Finish what is waiting, then end."""
        self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while True:
            jobs = [self._queue.get()]
            while not self._queue.empty():
                jobs.append(self._queue.get())
            real = [job for job in jobs if job is not None]
            if real:
                self._do_all(real)
            if len(real) < len(jobs):
                return

    def _do_all(self, jobs: list[Job[ResourceT, object]]) -> None:
        try:
            self._do(jobs)
        except Exception as error:  # noqa: BLE001
            for job in jobs:
                job.refuse(error)
        for job in jobs:
            job.tell()
