"""How a host hears of a run while it waits for it."""

from __future__ import annotations

from or_mcp.calls.call import Tell
from or_mcp.runs.record import Progress

# Claude Code cuts messages of about 200 characters.
MESSAGE_LIMIT = 199


class Narrator:
    """Tells a host how a run goes: strictly increasing, in few words, and never after the result."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._step = -1.0
        self._beats = 0
        self._total = 0.0
        self._told = -1.0

    async def tell(self, progress: Progress) -> None:
        """Say where the run stands."""
        self._beats = self._beats + 1 if progress.done <= self._step else 1
        self._step = max(self._step, progress.done)
        # A bar jumps if what it is of the whole changes: the first whole that was told stays.
        self._total = self._total or max(progress.total, self._step + 1)
        # Between two steps every word moves on a little, and never as far as the next step, or as the end.
        value = min(self._step + 1 - 1 / (self._beats + 1), (self._told + self._total) / 2)
        self._told = max(value, self._told)
        await self._tell(value, self._total, progress.message[:MESSAGE_LIMIT])
