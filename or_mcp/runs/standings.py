"""Where callers stand today, as every paid answer says."""

from __future__ import annotations

from contextlib import suppress

import anyio

from or_mcp.runs.budget import Limits, Standing, standing
from or_mcp.runs.endings import StoreAway
from or_mcp.runs.store import Store

# A run that ended now has just read it: only what is paid meanwhile elsewhere is missing.
_RECENT_SECONDS = 0.1
# A store that works answers in milliseconds.
_PATIENCE_SECONDS = 3.0


class Standings:
    """What the store says of each caller, or said when its last run ended."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self._known: dict[str, tuple[Standing, float]] = {}

    def note(self, caller: str, standing: Standing) -> None:
        """A run of this caller has just ended."""
        self._known[caller] = (standing, anyio.current_time())

    async def of(self, caller: str, payer: str, *, recent: bool = False) -> Standing:
        """Where a caller stands; `recent` is content with where it stood when its last run ended just now."""
        known = self._known.get(caller)
        if recent and known is not None and anyio.current_time() - known[1] < _RECENT_SECONDS:
            return known[0]
        # What was paid for is answered with, whatever is known of the budget.
        patience = 0 if self._store.is_read_in_vain else _PATIENCE_SECONDS
        with anyio.move_on_after(patience), suppress(StoreAway):
            return await self._store.read(lambda tx: standing(tx, caller, payer, self._limits))
        return known[0] if known is not None else Standing(None, None)
