"""What upstream says a key may still spend, asked rarely and never waited for long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import anyio

from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure
from or_mcp.openrouter.wire.account import Key
from or_mcp.runs.ledger import shares
from or_mcp.runs.store import Store

# In between it is counted down by our own ledger; only what others spend with the key is seen a minute late.
_FRESH_SECONDS = 60.0
# Without an answer the call goes on: upstream itself refuses what the key may not spend.
_PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What a key might spend when upstream was asked, and what our ledger said of its day just before.

    What the ledger says more since then, upstream had not counted.
    """

    left_usd: Decimal | None
    settled_usd: Decimal


@dataclass(frozen=True, slots=True)
class _Known:
    heard: Heard
    asked: float
    day: date


def left_on(key: Key) -> Decimal | None:
    """What a key may still spend; None means no limit is set."""
    budget = key.effective_budget.remaining_usd if key.effective_budget else None
    amounts = [amount for amount in (key.limit_remaining, budget) if amount is not None]
    return min(amounts) if amounts else None


class KeyLimits:
    """What each key may still spend, as last heard."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, _Known] = {}

    def known(self, payer: str) -> Heard | None:
        """What upstream said of the key, if it was asked within the last minute, today."""
        known = self._known.get(payer)
        is_fresh = (
            known is not None
            and known.day == datetime.now(UTC).date()
            and anyio.current_time() - known.asked <= _FRESH_SECONDS
        )
        return known.heard if known is not None and is_fresh else None

    async def heard(self, payer: str, upstream: OpenRouter) -> Heard:
        """The same; if it was not, it is asked now."""
        known, today = self.known(payer), datetime.now(UTC).date()
        if known is None:
            spent = await self._store.read(partial(shares, payer=payer, caller=""))
            known = Heard(await self._ask(upstream), spent.of_payer.settled)
            self._known[payer] = _Known(known, anyio.current_time(), today)
        return known

    async def _ask(self, upstream: OpenRouter) -> Decimal | None:
        with anyio.move_on_after(_PATIENCE_SECONDS):
            try:
                return left_on(await upstream.key_status())
            except Failure:
                return None
        return None
