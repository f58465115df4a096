"""Whether, and for how long, a model's maker is asked to keep a conversation, so that the next turn costs less."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from or_mcp.catalogue.rates import Cache, rates
from or_mcp.catalogue.slugs import author
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.conversation.thread import Thread
from or_mcp.conversation.turn import Turn

# The others cache unasked. Writing costs 1.25 times reading afresh and what is read again a tenth: it pays where a
# conversation goes on, and never for a lone question.
_MAKERS_WHO_WAIT_TO_BE_ASKED = frozenset({"anthropic", "qwen"})
# How long a prompt is kept, as these makers say.
_MINUTES, _HOUR = timedelta(minutes=5), timedelta(hours=1)


def with_cache(turn: Turn, thread: Thread, pause: timedelta, snapshot: Snapshot) -> Turn:
    """The turn as its maker should keep it; `pause` is how long it was since the last answer."""
    if not thread.goes_on or author(turn.model) not in _MAKERS_WHO_WAIT_TO_BE_ASKED:
        return turn
    keep: Cache = "write_1h" if _MINUTES < pause < _HOUR and _an_hour_is_cheaper(turn.model, snapshot) else "write"
    return replace(turn, cache=keep)


def _an_hour_is_cheaper(slug: str, snapshot: Snapshot) -> bool:
    """Whether one more turn after such a pause costs less if this one is kept so long: else both are written anew."""
    model = snapshot.find(slug)
    found = rates(snapshot.target(model).pricing, 0, datetime.now(UTC)) if model is not None else None
    if found is None or found.input_cache_write_1h is None or found.input_cache_read is None:
        return False
    anew = found.input_through("write")
    return anew is not None and found.input_cache_write_1h + found.input_cache_read < 2 * anew
