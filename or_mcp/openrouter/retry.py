"""When a request may be sent again: a failure, an attempt and the time left give a wait, or none."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import TypeVar

import anyio

from or_mcp.openrouter.errors import ConnectionFailed, Failure

T = TypeVar("T")

# What two waits do not mend is no hiccup.
ATTEMPTS = 3
# Upstream says with these that nobody has begun to work on it. After the others work may have been done.
_NOT_ACCEPTED = frozenset({429, 502, 503, 529})
_SAFE_TO_REPEAT = frozenset({408, 500, 504, 524}) | _NOT_ACCEPTED


async def again(attempt: Callable[[], Awaitable[T]], *, paid: bool, attempts: int) -> T:
    """What an attempt gives, once one has not failed; so many at the most."""
    number = ATTEMPTS - attempts + 1
    while True:
        try:
            return await attempt()
        except Failure as failure:
            left = anyio.current_effective_deadline() - anyio.current_time()
            wait = wait_before_retry(failure, number, left, paid=paid)
            if wait is None:
                raise
            number += 1
        await anyio.sleep(wait)


def wait_before_retry(failure: Failure, attempt: int, seconds_left: float, *, paid: bool) -> float | None:
    """How long to wait before attempt number `attempt + 1`, or None to give up.

    A request that may have been billed is never sent again.
    """
    if attempt >= ATTEMPTS or failure.may_be_billed or not _retryable(failure, paid=paid):
        return None
    wait = failure.retry_after
    if wait is None:
        # Half of it by chance, so that many who failed together do not come back together.
        wait = 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)
    return wait if wait < seconds_left else None


def _retryable(failure: Failure, *, paid: bool) -> bool:
    if failure.availability is not None and failure.availability.retryable is False:
        return False
    if failure.status is None:
        return isinstance(failure, ConnectionFailed)
    return failure.status in (_NOT_ACCEPTED if paid else _SAFE_TO_REPEAT)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: upstream sends milliseconds, seconds or a date."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after", "")
        if not value:
            return None
        return max(0.0, float(value) if value[0].isdigit() else parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None
