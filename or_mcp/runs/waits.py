"""Whoever waits for runs: how long, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext

import anyio

from or_mcp.runs.desk import Desk
from or_mcp.runs.elsewhere import Elsewhere
from or_mcp.runs.live import LiveRun, Tell
from or_mcp.runs.record import RunRecord
from or_mcp.runs.session import Waiter


class Waits:
    """Who waits for which run, whichever process carries it."""

    def __init__(
        self,
        live: Mapping[str, LiveRun],
        elsewhere: Elsewhere,
        desk: Desk,
        given_up: Callable[[LiveRun, Waiter], None],
    ) -> None:
        self._live = live
        self._elsewhere = elsewhere
        self._desk = desk
        # The last waiter's request was cancelled.
        self._given_up = given_up
        self._waits: set[anyio.CancelScope] = set()

    async def until_finished(
        self,
        run_id: str,
        seconds: float,
        tell: Tell | None = None,
        waiter: Waiter | None = None,
        *,
        is_its_own: bool = False,
        asks: bool = False,
    ) -> RunRecord | None:
        """Wait until the run has ended, or so many seconds, or until it has a question; the record, if it ended here.

        A waiter whose wait is cancelled may cancel the run with it, if it is its own or was left unattended before,
        unless somebody else waits for it or the server is stopping. Only who `asks` is told of questions.
        """
        live = self._live.get(run_id)
        was_unattended = False
        if live is not None:
            live.waiting += 1
            was_unattended, live.is_unattended = live.is_unattended, False
            if waiter is not None and (is_its_own or was_unattended):
                live.session = waiter.session
        waiting = anyio.move_on_after(seconds)
        self._waits.add(waiting)
        bell = self._desk.attended(run_id, waiting.cancel) if asks else nullcontext()
        try:
            with waiting, bell:
                await self._follow(run_id, tell)
        except anyio.get_cancelled_exc_class():
            if live is not None and live.waiting == 1:
                live.is_unattended = was_unattended
                if waiter is not None and (is_its_own or was_unattended):
                    self._given_up(live, waiter)
            raise
        finally:
            self._waits.discard(waiting)
            if live is not None:
                live.waiting -= 1
        return live.record if live is not None and live.finished.is_set() else None

    def answer_now(self) -> None:
        """Whoever waits is answered with how its run stands."""
        for waiting in self._waits:
            waiting.cancel()

    async def _follow(self, run_id: str, tell: Tell | None) -> None:
        live = self._live.get(run_id)
        if live is None:
            await self._elsewhere.until_over(run_id, tell)
        elif tell is None:
            await live.finished.wait()
        else:
            await live.narrate(tell)
