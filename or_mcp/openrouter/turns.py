"""Streams take turns: however much has arrived, everybody else comes in between."""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter

# In one round of the loop, all streams together; a call that waits for an answer takes some ten rounds.
_SLICE_SECONDS = 0.003


class Turns:
    """Shares out the time that all streams of a process may take of each round of the event loop."""

    def __init__(self) -> None:
        self._until: float | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def has_time(self) -> bool:
        """Whether there is time left in this round of the loop."""
        return self._until is None or perf_counter() < self._until

    async def take(self) -> None:
        """Return at once while there is time in this round, else when one's turn has come in a later one."""
        if self._waiting or not self.has_time:
            await self._wait()
        elif self._until is None:
            self._begin()

    async def _wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        finally:
            if not turn.cancelled():
                # Also by who was cancelled just now: the next one waits for it.
                self._begin()

    def _begin(self) -> None:
        if self._until is None:
            asyncio.get_running_loop().call_soon(self._next_round)
        self._until = perf_counter() + _SLICE_SECONDS

    def _next_round(self) -> None:
        self._until = None
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
