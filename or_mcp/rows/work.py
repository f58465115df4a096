"""Many requests being carried out as one run, and what is kept of it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Protocol

import anyio
import anyio.to_thread
from pydantic import TypeAdapter

from or_mcp.catalogue.prices import Estimate
from or_mcp.openrouter.errors import Failure, OwnerCanAct, RateLimited
from or_mcp.openrouter.retry import wait_before_retry
from or_mcp.openrouter.usage import Usage
from or_mcp.openrouter.wire.lenient import Maybe
from or_mcp.rows.earlier import Earlier
from or_mcp.rows.lines import lines_of, save
from or_mcp.rows.pace import AT_ONCE, Pace
from or_mcp.rows.purse import Purse
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.record import Progress, RunRecord
from or_mcp.runs.rows import Row, RowState, keep_rows
from or_mcp.runs.store import Store

# So many rows that fail one after the other are no matter of the rows.
_IN_A_ROW = 20
# What is sent in the last part of a run's time would be cut off at its end.
_LAST_PART = 0.1
# A row that upstream is too busy for is asked again as long as others are, and a while longer.
_BUSY_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Answered:
    """What a row came back with: the tool's JSON, or an answer that was paid for and is of no use."""

    body: str = ""
    cost_usd: Decimal | None = None
    provider_cost_usd: Decimal | None = None
    usage: Usage | None = None
    model: str | None = None
    generation_id: str | None = None
    failure: Failure | None = None


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


@dataclass(frozen=True, slots=True)
class RowsResult:
    """What is kept of a run beside its rows: how many there are, and why not all were asked."""

    total: int
    carried: int = 0
    carried_from: Maybe[str] = None
    stopped: Maybe[str] = None
    model: Maybe[str] = None
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    provider_cost_usd: Maybe[Decimal] = None
    file: Maybe[str] = None
    problem: Maybe[str] = None

    @property
    def usage(self) -> Usage:
        """What all rows together used."""
        return Usage(
            self.input_tokens or None,
            self.output_tokens or None,
            cached_tokens=self.cached_tokens or None,
            cache_write_tokens=self.cache_write_tokens or None,
        )


@dataclass(frozen=True, slots=True)
class Brought:
    """What a run holds: its rows, and what all together came to."""

    rows: tuple[Row, ...]
    together: RowsResult

    @property
    def provider_cost_usd(self) -> Decimal | None:
        """What providers bill by themselves."""
        return self.together.provider_cost_usd

    @property
    def answered(self) -> tuple[Row, ...]:
        """The rows that were answered, in order."""
        return tuple(row for row in self.rows if row.state == "answered")


_RESULT: TypeAdapter[RowsResult] = TypeAdapter(RowsResult)


def result_of(record: RunRecord) -> Brought:
    """What a run holds."""
    together = _RESULT.validate_json(record.result) if record.result else RowsResult(len(record.rows))
    return Brought(record.rows, together)


def is_of_rows(record: RunRecord) -> bool:
    """Whether a run is one of many requests, by how what it keeps begins."""
    return (record.result or "").startswith('{"total":')


def words_of(brought: Brought) -> str:
    """Every row that has come to its end, as a line of JSON."""
    return "\n".join(lines_of(brought.rows))


class ManyRows:
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
        self.estimate = estimate
        # A row that does not fit is not sent, rather than all being cut short.
        self.limited = ""
        self._asks = asks
        self._store = store
        self._earlier = earlier
        self._rows: dict[int, Row] = {row.n: row for row in earlier.rows}
        self._waiting = deque(n for n in range(total) if n not in self._rows)
        self._result = RowsResult(total, len(self._rows), earlier.run_id)
        self._purse = Purse(ceiling)
        self._pace = Pace()
        self._settled = anyio.Event()
        self._failed_in_a_row = 0
        self._first_failure: Failure | None = None
        self._generation_id: str | None = None
        self._folder = folder
        self._ends = math.inf

    def kept(self) -> Kept:
        """Every row as it stands, and what all together have cost."""
        rows = tuple(self._rows[n] for n in sorted(self._rows))
        alone = self._generation_id if self._result.total == 1 else None
        outcome = None if self._count("answered") == self._result.total else "partial"
        result = _RESULT.dump_json(self._result).decode()
        return Kept(result, self._purse.cost, alone, outcome, rows, self._purse.at_most)

    def progress(self) -> Progress:
        """How many rows have been answered."""
        answered, failed, total = self._count("answered"), self._count("failed"), self._result.total
        trouble = f" · {failed:,} failed" if failed else ""
        spent = self._purse.spent
        money = f" · ${spent:.4f}" if spent else ""
        return Progress(
            answered + failed, total, f"{answered:,}/{total:,} answered{trouble}{money} · {self._asks.model}"
        )

    async def carry_out(self, run: LiveRun) -> None:
        """Ask every row that is not answered yet, as long as the next one fits.

        Raises:
            Failure: None was answered, for this reason.
        """
        await self._write(run, [replace(row, cost_usd=Decimal(0)) for row in self._rows.values()])
        self._ends = _ends_in_time()
        try:
            async with anyio.create_task_group() as group:
                for _ in range(min(AT_ONCE, len(self._waiting))):
                    group.start_soon(self._work, run)
        finally:
            with anyio.CancelScope(shield=True):
                await self._save(run.record.run_id)
        if self._first_failure is not None and not self._count("answered"):
            self._first_failure.may_be_billed |= self._purse.cost is None
            raise self._first_failure
        await run.told("asked", self._asks.model, f"{self._count('answered')} of {self._result.total} rows")

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
        failure, cost = answered.failure, answered.cost_usd
        row = Row(n, "answered" if failure is None else "failed", answered.body, cost if cost is not None else most)
        if failure is not None:
            row = replace(row, body=failure.facts())
            self._note(failure)
        else:
            self._failed_in_a_row = 0
        self._rows[n] = row
        self._purse.settle(n, cost)
        self._add(answered)
        self._wake()
        run.grew()
        # It is paid for: whoever cancels now still finds it.
        with anyio.CancelScope(shield=True):
            keep = partial(keep_rows, run_id=run.record.run_id, rows=(row,))
            await self._store.keep(f"{run.record.run_id} row {n}", keep)

    def _note(self, failure: Failure) -> None:
        self._first_failure = self._first_failure or failure
        self._failed_in_a_row += 1
        if isinstance(failure, OwnerCanAct) or self._failed_in_a_row >= _IN_A_ROW:
            self._stop(failure.message)

    def _add(self, answered: Answered) -> None:
        result, more, used = self._result, answered.provider_cost_usd, answered.usage or Usage()
        self._generation_id = answered.generation_id or self._generation_id
        self._result = replace(
            result,
            model=answered.model or result.model,
            input_tokens=result.input_tokens + (used.input_tokens or 0),
            output_tokens=result.output_tokens + (used.output_tokens or 0),
            cached_tokens=result.cached_tokens + (used.cached_tokens or 0),
            cache_write_tokens=result.cache_write_tokens + (used.cache_write_tokens or 0),
            provider_cost_usd=result.provider_cost_usd if more is None else (result.provider_cost_usd or 0) + more,
        )

    def _stop(self, why: str) -> None:
        """Send nothing more; what is under way is let finish, since it is paid for."""
        self._result = replace(self._result, stopped=self._result.stopped or why)
        self._wake()

    def _wake(self) -> None:
        self._settled.set()
        self._settled = anyio.Event()

    async def _save(self, run_id: str) -> None:
        if self._folder is None or self._result.total == 1:
            return
        rows = tuple(self._rows[n] for n in sorted(self._rows))
        try:
            path = await anyio.to_thread.run_sync(save, self._folder, run_id, rows)
        except OSError as error:
            told = f"The file with all rows could not be written to {self._folder} ({error.strerror or error})."
            self._result = replace(self._result, problem=told)
        else:
            self._result = replace(self._result, file=str(path))

    def _count(self, state: RowState) -> int:
        return sum(row.state == state for row in self._rows.values())

    async def _write(self, run: LiveRun, rows: Sequence[Row]) -> None:
        """Put rows on disk before anything else happens with them."""
        for row in rows:
            self._rows[row.n] = row
        if rows:
            await self._store.write(partial(keep_rows, run_id=run.record.run_id, rows=tuple(rows)))


def _ends_in_time() -> float:
    """Until when rows may be sent, so that the last of them has ended before the run must."""
    now, deadline = anyio.current_time(), anyio.current_effective_deadline()
    return deadline - (deadline - now) * _LAST_PART if math.isfinite(deadline) else deadline


def _wait_for_another(failure: Failure, attempt: int) -> float | None:
    """How long to wait before a row may be sent again; None when it may not."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    is_busy = isinstance(failure, RateLimited) and attempt < _BUSY_ATTEMPTS
    wait = wait_before_retry(failure, 1 if is_busy else attempt, left, paid=True)
    # All rows wait for upstream together.
    return 0.0 if is_busy and wait is not None else wait
