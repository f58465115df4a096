"""Work whose trouble is its own: it ends nothing but itself."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from or_mcp.runs.endings import StoreAway

logger = logging.getLogger(__name__)


async def apart(work: Callable[..., Awaitable[None]], *given: Any) -> None:
    """Do something once, whatever becomes of it."""
    try:
        await work(*given)
    except StoreAway as away:
        logger.info("%s has to wait: %s", work.__qualname__, away.message)
    except Exception:
        logger.exception("%s failed", work.__qualname__)


async def again_and_again(work: Callable[[], Awaitable[None]], seconds: float, first_after: float = 0) -> None:
    """Do something until this is cancelled, whatever becomes of it."""
    await anyio.sleep(first_after)
    while True:
        await apart(work)
        await anyio.sleep(seconds)
