"""How many rows are under way at once: half as many when upstream says that it is too much, then slowly more again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

# As many as keep a link busy without being taken for a flood.
AT_ONCE = 8
# Upstream names a wait with most of its 429s. Without one: a second, twice as long each time, up to this.
_LONGEST_PAUSE_SECONDS = 30.0


class Pace:
    """Lets so many in at once, and nobody while upstream wants to be left alone."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._most = at_once
        self._room = float(at_once)
        self._busy = 0
        self._closed_until = 0.0
        self._last_cut = 0.0
        self._refusals = 0
        self._changed = anyio.Event()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait for a turn, and have it for as long as the block lasts."""
        while (closed := self._closed_until - anyio.current_time()) > 0 or self._busy >= int(self._room):
            with anyio.move_on_after(closed if closed > 0 else None):
                await self._changed.wait()
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            self._wake()

    def accepted(self) -> None:
        """A row was taken: after as many as there are at once, one more may go."""
        self._refusals = 0
        self._room = min(float(self._most), self._room + 1 / self._room)
        self._wake()

    def refused(self, began: float, retry_after: float | None) -> None:
        """Upstream has refused a row for being one too many; `began` is when it was sent.

        What was sent before the last cut tells nothing new.
        """
        now = anyio.current_time()
        if began >= self._last_cut:
            self._last_cut = now
            self._room = max(1.0, self._room / 2)
            self._refusals += 1
        pause = retry_after if retry_after is not None else min(2.0 ** (self._refusals - 1), _LONGEST_PAUSE_SECONDS)
        self._closed_until = max(self._closed_until, now + pause)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
