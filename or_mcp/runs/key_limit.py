"""What upstream says a key may still spend, asked rarely and never waited for long."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import anyio

from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure
from or_mcp.openrouter.wire.account import Key

_FRESH_SECONDS = 60.0
_PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class _Known:
    left: Decimal | None
    asked: float


def left_on(key: Key) -> Decimal | None:
    """What a key may still spend; None means no limit is set."""
    budget = key.effective_budget.remaining_usd if key.effective_budget else None
    amounts = [amount for amount in (key.limit_remaining, budget) if amount is not None]
    return min(amounts) if amounts else None


class KeyLimits:
    """What each key may still spend, as last heard."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    async def left(self, payer: str, upstream: OpenRouter) -> Decimal | None:
        """USD left on the key, or None when there is no limit or it is not known."""
        known = self._known.get(payer)
        if known is None or anyio.current_time() - known.asked > _FRESH_SECONDS:
            known = _Known(await self._ask(upstream), anyio.current_time())
            self._known[payer] = known
        return known.left

    async def _ask(self, upstream: OpenRouter) -> Decimal | None:
        with anyio.move_on_after(_PATIENCE_SECONDS):
            try:
                return left_on(await upstream.key_status())
            except Failure:
                return None
        return None
