"""Work that many ask for at once and that is done once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

T = TypeVar("T")

# Models that are asked about in one process; each is a list of endpoints of some kilobytes.
_KEPT = 256


@dataclass(slots=True)
class _Flight(Generic[T]):
    landed: anyio.Event = field(default_factory=anyio.Event)
    results: list[T] = field(default_factory=list[T])
    error: Exception | None = None


class Shared(Generic[T]):
    """A piece of work that runs once at a time, however many wait for it.

    In a task group, it goes on when whoever asked first is cancelled. Without one it runs in the task of whoever asked
    first; if that one is cancelled, the next one waiting takes over.
    """

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._flight: _Flight[T] | None = None

    async def result(self, group: TaskGroup | None) -> T:
        """What the work gives. Its failure is everybody's failure."""
        while True:
            flight = self._flight or await self._start(group)
            await flight.landed.wait()
            if flight.error is not None:
                raise flight.error
            if flight.results:
                return flight.results[0]
            group = None

    def begin(self, group: TaskGroup) -> None:
        """Have the work done, without waiting for it."""
        if self._flight is None:
            self._flight = flight = _Flight[T]()
            group.start_soon(self._fly, flight)

    async def _start(self, group: TaskGroup | None) -> _Flight[T]:
        self._flight = flight = _Flight[T]()
        if group is None:
            await self._fly(flight)
        else:
            group.start_soon(self._fly, flight)
        return flight

    async def _fly(self, flight: _Flight[T]) -> None:
        try:
            flight.results.append(await self._work())
        except Exception as error:  # noqa: BLE001 -- raised again in everyone who waits
            flight.error = error
        finally:
            self._flight = None
            flight.landed.set()


class Remembered(Generic[T]):
    """Results kept by key for a while, each fetched once however many ask."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[str, tuple[float, T]] = {}
        self._running: dict[str, Shared[T]] = {}

    async def get(self, key: str, work: Callable[[], Awaitable[T]], group: TaskGroup | None) -> T:
        """The result for a key: the kept one while it is fresh."""
        kept = self._kept.get(key)
        if kept is not None and 0 <= self._clock() - kept[0] < self._seconds:
            return kept[1]
        return await self._running.setdefault(key, Shared(lambda: self._fetch(key, work))).result(group)

    async def _fetch(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        try:
            value = await work()
        finally:
            self._running.pop(key, None)
        self._kept.pop(key, None)
        self._kept[key] = (self._clock(), value)
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return value
