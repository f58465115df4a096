"""Runs that other processes carry: the store is all that is shared, and one look at it serves all who wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import anyio

from or_mcp.runs import queries
from or_mcp.runs.live import HEARTBEAT_SECONDS, Tell, told_somehow
from or_mcp.runs.queries import Look
from or_mcp.runs.store import Store


class _Watched:
    """A run as it was last seen."""

    def __init__(self) -> None:
        self.look: Look | None = None
        self.changed = anyio.Event()
        self.over = anyio.Event()

    def seen(self, look: Look | None, *, over: bool) -> None:
        """Whoever waits is woken only by news."""
        if over:
            self.over.set()
        if look != self.look or over:
            self.look = look
            self.changed.set()
            self.changed = anyio.Event()


class Elsewhere:
    """Follows runs for whoever waits for them."""

    def __init__(self, store: Store, has_ended_here: Callable[[str], bool]) -> None:
        self._store = store
        self._has_ended_here = has_ended_here
        self._watched: dict[str, _Watched] = {}
        self._waiting: Counter[str] = Counter()

    async def look(self, *, is_carrying: bool) -> list[str]:
        """See how all those runs stand, and which of this process's somebody wants stopped."""
        if not self._watched and not is_carrying:
            return []
        owner = self._store.owner.token
        # Others may be waited for before the store has answered: of these it says nothing.
        asked_for = dict(self._watched)
        looks, unwanted = await self._store.read(partial(queries.looks, run_ids=list(asked_for), owner=owner))
        carriers = {look.owner for look in looks.values()}
        alive = {owner for owner in carriers if self._store.is_alive(owner)}
        for run_id, watched in asked_for.items():
            look = looks.get(run_id)
            goes_on = look is not None and not look.finished and look.owner in alive
            watched.seen(look, over=not goes_on or self._has_ended_here(run_id))
        return unwanted

    async def until_over(self, run_id: str, tell: Tell | None) -> None:
        """Wait until nobody carries a run any more. Whoever is to be told how it goes is woken by every news."""
        watched = self._watched.setdefault(run_id, _Watched())
        self._waiting[run_id] += 1
        try:
            while tell is not None and not watched.over.is_set():
                changed = watched.changed
                if watched.look is not None and watched.look.progress is not None:
                    await told_somehow(tell, watched.look.progress)
                with anyio.move_on_after(HEARTBEAT_SECONDS):
                    await changed.wait()
            await watched.over.wait()
        finally:
            self._waiting[run_id] -= 1
            if not self._waiting[run_id]:
                del self._waiting[run_id], self._watched[run_id]
