"""What is kept of many requests while they are carried out, however they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from or_mcp.catalogue.prices import Estimate
from or_mcp.openrouter.errors import Failure
from or_mcp.openrouter.usage import Usage
from or_mcp.rows.lines import save, why_failed
from or_mcp.rows.purse import Purse
from or_mcp.rows.result import RESULT, Answered, RowsResult
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.record import Progress
from or_mcp.runs.rows import Row, RowState, keep_rows
from or_mcp.runs.store import Store


class KeptRows:
    """Rows on their way, and those that have come to their end; what all of them cost."""

    def __init__(
        self,
        model: str,
        result: RowsResult,
        rows: Sequence[Row],
        store: Store,
        estimate: Estimate,
        ceiling: Decimal | None,
        folder: Path | None,
    ) -> None:
        self.estimate = estimate
        # A row that does not fit is not sent, rather than all being cut short.
        self.limited = ""
        self._model = model
        self._store = store
        self._rows: dict[int, Row] = {row.n: row for row in rows}
        self._result = result
        self._purse = Purse(ceiling)
        self._first_failure: Failure | None = None
        self._generation_id: str | None = None
        self._folder = folder

    def kept(self) -> Kept:
        """Every row as it stands, and what all together have cost."""
        alone = self._generation_id if self._result.total == 1 else None
        outcome = None if self._count("answered") == self._result.total else "partial"
        result = RESULT.dump_json(self._result).decode()
        several = self._result.total > 1
        return Kept(result, self._purse.cost, alone, outcome, self._in_order(), self._purse.at_most, in_parts=several)

    def progress(self) -> Progress:
        """How many rows have been answered."""
        answered, failed, total = self._count("answered"), self._count("failed"), self._result.total
        trouble = f" · {failed:,} failed" if failed else ""
        spent = self._purse.spent
        money = f" · ${spent:.4f}" if spent else ""
        return Progress(answered + failed, total, f"{answered:,}/{total:,} answered{trouble}{money} · {self._model}")

    async def _over(self, run: LiveRun) -> None:
        """Every row that was to be sent has come back.

        Raises:
            Failure: None was answered, for this reason.
        """
        if self._first_failure is not None and not self._count("answered"):
            self._first_failure.may_be_billed |= self._purse.cost is None
            raise self._first_failure
        await run.told("asked", self._model, f"{self._count('answered')} of {self._result.total} rows")

    def _settled_as(self, n: int, most: Decimal | None, answered: Answered) -> Row:
        """The row, now that it has come back."""
        failure, cost = answered.failure, answered.cost_usd
        row = Row(n, "answered" if failure is None else "failed", answered.body, cost if cost is not None else most)
        if failure is not None:
            row = replace(row, body=failure.facts())
            self._first_failure = self._first_failure or failure
        self._rows[n] = row
        self._purse.settle(n, cost)
        self._add(answered)
        return row

    def _recall(self, rows: Sequence[Row]) -> None:
        """Count what came back to another process, as that one did."""
        for row in (row for row in rows if row.state in ("answered", "failed")):
            failure = why_failed(row) if row.state == "failed" else None
            self._first_failure = self._first_failure or failure
            is_doubtful = failure is not None and failure.may_be_billed and row.cost_usd != 0
            self._purse.hold(row.n, row.cost_usd)
            self._purse.settle(row.n, None if is_doubtful else row.cost_usd)

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

    async def _save(self, run_id: str) -> None:
        if self._folder is None or self._result.total == 1:
            return
        try:
            path = await anyio.to_thread.run_sync(save, self._folder, run_id, self._in_order())
        except OSError as error:
            told = f"The file with all rows could not be written to {self._folder} ({error.strerror or error})."
            self._result = replace(self._result, problem=told)
        else:
            self._result = replace(self._result, file=str(path))

    def _in_order(self) -> tuple[Row, ...]:
        return tuple(self._rows[n] for n in sorted(self._rows))

    def _count(self, state: RowState) -> int:
        return sum(row.state == state for row in self._rows.values())

    async def _write(self, run: LiveRun, rows: Sequence[Row]) -> None:
        """Put rows on disk before anything else happens with them."""
        for row in rows:
            self._rows[row.n] = row
        if rows:
            await self._store.write(partial(keep_rows, run_id=run.record.run_id, rows=tuple(rows)))
