"""Many requests being carried out as one run, several at once."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Protocol

import anyio

from or_mcp.catalogue.prices import Estimate
from or_mcp.openrouter.errors import Failure, OwnerCanAct, RateLimited
from or_mcp.openrouter.retry import wait_before_retry
from or_mcp.rows.earlier import Earlier
from or_mcp.rows.keeping import KeptRows
from or_mcp.rows.pace import AT_ONCE, Pace
from or_mcp.rows.result import Answered, RowsResult
from or_mcp.runs.live import LiveRun
from or_mcp.runs.rows import Row, keep_rows
from or_mcp.runs.store import Store

# So many rows that fail one after the other are no matter of the rows.
_IN_A_ROW = 20
# What is sent in the last part of a run's time would be cut off at its end.
_LAST_PART = 0.1
# A row that upstream is too busy for is asked again as long as others are, and a while longer.
_BUSY_ATTEMPTS = 8


class Asks(Protocol):
    """How each row is asked."""

    @property
    def model(self) -> str:
        """Who is asked."""
        ...

    def most(self, n: int) -> Decimal | None:
        """What a row costs at most, exactly as it is sent."""
        ...

    async def ask(self, n: int) -> Answered:
        """Send one row, once."""
        ...


class ManyRows(KeptRows):
    """Rows being asked, several at once; one that fails costs itself alone."""

    def __init__(
        self,
        asks: Asks,
        total: int,
        store: Store,
        earlier: Earlier,
        estimate: Estimate,
        ceiling: Decimal | None,
        folder: Path | None,
    ) -> None:
        result = RowsResult(total, len(earlier.rows), earlier.run_id)
        super().__init__(asks.model, result, earlier.rows, store, estimate, ceiling, folder)
        self._asks = asks
        self._waiting = deque(n for n in range(total) if n not in self._rows)
        self._pace = Pace()
        self._settled = anyio.Event()
        self._failed_in_a_row = 0
        self._ends = math.inf

    async def carry_out(self, run: LiveRun) -> None:
        """Ask every row that is not answered yet, as long as the next one fits.

        Raises:
            Failure: None was answered, for this reason.
        """
        await self._write(run, [replace(row, cost_usd=Decimal(0)) for row in self._rows.values()])
        self._ends = ends_in_time()
        try:
            async with anyio.create_task_group() as group:
                for _ in range(min(AT_ONCE, len(self._waiting))):
                    group.start_soon(self._work, run)
        finally:
            with anyio.CancelScope(shield=True):
                await self._save(run.record.run_id)
        await self._over(run)

    async def _work(self, run: LiveRun) -> None:
        while self._waiting and self._result.stopped is None:
            if anyio.current_time() > self._ends:
                self._stop("its time is nearly over (OR_MCP_RUN_DEADLINE_SECONDS)")
                return
            n = self._waiting.popleft()
            most = self._asks.most(n)
            if not await self._set_aside(n, most):
                return
            await self._settle(run, n, most)

    async def _set_aside(self, n: int, most: Decimal | None) -> bool:
        """Hold what a row may cost; False where that does not fit even when nothing else is under way."""
        while not self._purse.fits(most):
            if not self._purse.held:
                self._stop("the next row no longer fits into what this run may cost")
            if self._result.stopped is not None:
                return False
            await self._settled.wait()
        self._purse.hold(n, most)
        return True

    async def _settle(self, run: LiveRun, n: int, most: Decimal | None) -> None:
        """Ask a row until it is answered, or for good not."""
        attempt = 1
        while True:
            answered = await self._tried(run, n, most)
            wait = None if answered.failure is None else _wait_for_another(answered.failure, attempt)
            if wait is None:
                await self._ended(run, n, most, answered)
                return
            await self._write(run, [Row(n, "open", cost_usd=Decimal(0))])
            await anyio.sleep(wait)
            attempt += 1

    async def _tried(self, run: LiveRun, n: int, most: Decimal | None) -> Answered:
        async with self._pace.turn():
            await self._write(run, [Row(n, "sent", cost_usd=most)])
            began = anyio.current_time()
            try:
                answered = await self._asks.ask(n)
            except Failure as failure:
                if isinstance(failure, RateLimited):
                    self._pace.refused(began, failure.retry_after)
                cost = None if failure.may_be_billed else Decimal(0)
                return Answered(cost_usd=cost, generation_id=failure.generation_id, failure=failure)
            self._pace.accepted()
            return answered

    async def _ended(self, run: LiveRun, n: int, most: Decimal | None, answered: Answered) -> None:
        row = self._settled_as(n, most, answered)
        if answered.failure is not None:
            self._note(answered.failure)
        else:
            self._failed_in_a_row = 0
        self._wake()
        run.grew()
        # It is paid for: whoever cancels now still finds it.
        with anyio.CancelScope(shield=True):
            keep = partial(keep_rows, run_id=run.record.run_id, rows=(row,))
            await self._store.keep(f"{run.record.run_id} row {n}", keep)

    def _note(self, failure: Failure) -> None:
        self._failed_in_a_row += 1
        if isinstance(failure, OwnerCanAct) or self._failed_in_a_row >= _IN_A_ROW:
            self._stop(failure.message)

    def _stop(self, why: str) -> None:
        """Send nothing more; what is under way is let finish, since it is paid for."""
        self._result = replace(self._result, stopped=self._result.stopped or why)
        self._wake()

    def _wake(self) -> None:
        self._settled.set()
        self._settled = anyio.Event()


def ends_in_time() -> float:
    """Until when requests may be sent, so that the last of them has ended before the run must."""
    now, deadline = anyio.current_time(), anyio.current_effective_deadline()
    return deadline - (deadline - now) * _LAST_PART if math.isfinite(deadline) else deadline


def _wait_for_another(failure: Failure, attempt: int) -> float | None:
    """How long to wait before a row may be sent again; None when it may not."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    is_busy = isinstance(failure, RateLimited) and attempt < _BUSY_ATTEMPTS
    wait = wait_before_retry(failure, 1 if is_busy else attempt, left, paid=True)
    # All rows wait for upstream together.
    return 0.0 if is_busy and wait is not None else wait
