"""Many requests as one job of upstream's, which any process goes on with: typically half price, within a day."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import anyio
import anyio.to_thread
from pydantic import JsonValue

from or_mcp.catalogue.prices import Estimate
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import (
    ConnectionFailed,
    Failure,
    InvalidRequest,
    UpstreamFailed,
    from_error,
)
from or_mcp.openrouter.wire.batches import Batch, BatchProvider, BatchRequest, BatchResult
from or_mcp.openrouter.wire.errors import ErrorBody
from or_mcp.openrouter.wire.routing import Provider
from or_mcp.rows.earlier import Earlier
from or_mcp.rows.keeping import KeptRows
from or_mcp.rows.result import Answered, RowsResult, result_of
from or_mcp.runs.jobs import Kind, awaited
from or_mcp.runs.live import LiveRun
from or_mcp.runs.record import Progress, RunRecord
from or_mcp.runs.rows import Row, keep_rows
from or_mcp.runs.store import Store

# Upstream says a day; some providers take up to four.
_BATCH = Kind("batch", look_every_seconds=60.0, longest_seconds=4 * 24 * 3600.0)
# Thousands of requests take a while to send. A batch that was accepted is listed at once.
_SEND_SECONDS, _FIND_SECONDS = 600.0, 10.0
# Clocks differ by as much.
_CLOCKS_SECONDS = 300.0
_ENDS = {
    "completed": "The batch was completed without it",
    "failed": "The batch failed",
    "cancelled": "The batch was cancelled upstream",
    "expired": "The batch expired before it was answered",
}

Read = Callable[[Mapping[str, JsonValue]], Answered]
"""What the answer to one request says."""


class _NeverSent(Exception):
    """Upstream has no such batch: the process that was to send it ended before."""


class Batchable(Protocol):
    """How each row is asked, where all are sent together."""

    @property
    def model(self) -> str:
        """Who is asked."""
        ...

    def most(self, n: int) -> Decimal | None:
        """What a row costs at most, exactly as it is sent."""
        ...

    def body(self, n: int) -> dict[str, Any]:
        """What is sent for a row, without the model."""
        ...

    def read(self, body: Mapping[str, JsonValue]) -> Answered:
        """What its answer says."""
        ...


def permitted(rules: Provider | None) -> BatchProvider | None:
    """The operator's rules for providers, as far as a batch can be sent them.

    Raises:
        InvalidRequest: It cannot be sent one of them, and what cannot be sent is not loosened.
    """
    if rules is None:
        return None
    told = {
        "OR_MCP_ZDR": rules.zdr,
        "OR_MCP_DATA_COLLECTION": rules.data_collection == "deny",
        "OR_MCP_PROVIDERS_IGNORE": rules.ignore,
        "OR_MCP_MAX_PRICE": rules.max_price,
    }
    if given := [name for name, value in told.items() if value]:
        raise InvalidRequest(
            f"batch cannot be used here: upstream keeps a batch until it is fetched, and takes no rule like "
            f"{', '.join(given)} for it; without batch the rows are asked one by one"
        )
    return BatchProvider(only=rules.only) if rules.only else None


class Batched(KeptRows):
    """Rows that are sent as one job, once, and fetched when it is done."""

    def __init__(
        self,
        model: str,
        result: RowsResult,
        rows: Sequence[Row],
        store: Store,
        estimate: Estimate,
        folder: Path | None,
        *,
        upstream: OpenRouter,
        read: Read,
        provider: BatchProvider | None = None,
        asks: Batchable | None = None,
        job: str = "",
    ) -> None:
        super().__init__(model, result, rows, store, estimate, None, folder)
        self._upstream = upstream
        self._read = read
        self._provider = provider
        self._asks = asks
        self._job = job
        self._sent: dict[int, Decimal | None] = {row.n: row.cost_usd for row in rows if row.state == "sent"}
        self._strangers: set[str] = set()
        self._status = "being sent"
        for n, most in self._sent.items():
            self._purse.hold(n, most)

    @classmethod
    def asked(
        cls,
        asks: Batchable,
        total: int,
        store: Store,
        earlier: Earlier,
        estimate: Estimate,
        folder: Path | None,
        *,
        upstream: OpenRouter,
        provider: BatchProvider | None,
    ) -> Batched:
        """One that is still to be sent: every row that no earlier run has brought."""
        known = {row.n for row in earlier.rows}
        rows = (*earlier.rows, *(Row(n, "sent", cost_usd=asks.most(n)) for n in range(total) if n not in known))
        result = RowsResult(total, len(known), earlier.run_id)
        return cls(
            asks.model,
            result,
            rows,
            store,
            estimate,
            folder,
            upstream=upstream,
            read=asks.read,
            provider=provider,
            asks=asks,
        )

    @classmethod
    def resumed(cls, record: RunRecord, upstream: OpenRouter, store: Store, folder: Path | None, read: Read) -> Batched:
        """One that was sent, by whichever process; with no id where that one ended before it heard it."""
        job: str = json.loads(record.job or "{}").get("id", "")
        model, together = record.request.models[0], result_of(record).together
        estimate = Estimate(None, None, None)
        self = cls(model, together, record.rows, store, estimate, folder, upstream=upstream, read=read, job=job)
        self._recall(record.rows)
        return self

    def progress(self) -> Progress:
        """How far upstream says that it is."""
        total, (done, failed) = self._result.total, self._result.counted or (self._count("answered"), 0)
        return Progress(done + failed, total, f"{done:,}/{total:,} answered · batch {self._status} · {self._model}")

    async def carry_out(self, run: LiveRun) -> None:
        """Send it unless it was sent, wait until it is done, and take what it brought.

        Raises:
            Failure: None was answered, for this reason.
        """
        if self._asks is not None:
            await (self._send(run, self._asks) if self._sent else self._write(run, tuple(self._priced_rows())))
        look = partial(self._looked, run, anyio.current_time() + _FIND_SECONDS)
        try:
            # Whoever was here before may have taken all of it, and not come to say so.
            if self._sent:
                await self._take(run, await awaited(run, _BATCH, look, self._tell))
        except _NeverSent as never:
            await self._not_sent(run)
            raise ConnectionFailed("The batch had not reached OpenRouter; call again to send it") from never
        finally:
            with anyio.CancelScope(shield=True):
                await self._save(run.record.run_id)
        await self._over(run)

    async def _send(self, run: LiveRun, asks: Batchable) -> None:
        # Whoever comes after a process that ends in here looks whether upstream has it.
        await run.handed_over(json.dumps({"id": ""}))
        await self._write(run, tuple(self._priced_rows()))
        request = await anyio.to_thread.run_sync(self._request, run.record.run_id, asks)
        try:
            with anyio.fail_after(_SEND_SECONDS):
                batch = await self._upstream.start_batch(request)
        except TimeoutError:
            return
        except Failure as failure:
            if failure.may_be_billed:
                return
            await self._not_sent(run)
            raise
        await self._accepted(run, batch.id)

    def _priced_rows(self) -> Iterable[Row]:
        """What was brought before costs nothing now."""
        return (row if row.n in self._sent else replace(row, cost_usd=Decimal(0)) for row in self._rows.values())

    def _request(self, run_id: str, asks: Batchable) -> BatchRequest:
        items = tuple({"custom_id": f"{run_id}-{n}", "body": asks.body(n)} for n in self._sent)
        return BatchRequest(model=asks.model, provider=self._provider, requests=items)

    async def _accepted(self, run: LiveRun, job: str) -> None:
        self._job = job
        # What is paid for is known by its id alone: nothing may come between.
        with anyio.CancelScope(shield=True):
            await run.handed_over(json.dumps({"id": job}))
        run.noted("accepted", self._model, job)

    async def _not_sent(self, run: LiveRun) -> None:
        for n in self._sent:
            self._purse.settle(n, Decimal(0))
        await self._write(run, [Row(n, "open", cost_usd=Decimal(0)) for n in self._sent])

    async def _looked(self, run: LiveRun, give_up: float) -> Batch | None:
        """The batch, if it is at its end."""
        batch = await (self._upstream.batch(self._job) if self._job else self._found(run))
        if batch is None and anyio.current_time() > give_up:
            raise _NeverSent
        if batch is not None and batch.status in _ENDS:
            return batch
        self._note(batch)
        return None

    def _tell(self, how: str) -> None:
        self._status = f"under way; {how}"

    async def _found(self, run: LiveRun) -> Batch | None:
        """The batch that was sent without anybody hearing its id, or one that may be it: its results will tell."""
        earliest, perhaps = run.record.started.timestamp() - _CLOCKS_SECONDS, None
        for listed in await self._upstream.batches():
            total = listed.request_counts.total if listed.request_counts else None
            if listed.id in self._strangers or total != len(self._sent) or (listed.created_at or earliest) < earliest:
                continue
            batch = await self._upstream.batch(listed.id)
            if any(result.custom_id.startswith(f"{run.record.run_id}-") for result in batch.results):
                await self._accepted(run, batch.id)
                return batch
            if batch.status in _ENDS:
                self._strangers.add(batch.id)
            else:
                perhaps = batch
        return perhaps

    def _note(self, batch: Batch | None) -> None:
        if batch is None:
            self._status = "being looked for"
            return
        self._status = batch.status.replace("_", " ")
        counts = batch.request_counts
        if counts is not None:
            carried = self._result.carried
            self._result = replace(self._result, counted=((counts.completed or 0) + carried, counts.failed or 0))

    async def _take(self, run: LiveRun, batch: Batch) -> None:
        self._result = replace(self._result, counted=None)
        answers = await anyio.to_thread.run_sync(self._read_all, run.record.run_id, batch, abandon_on_cancel=True)
        with anyio.CancelScope(shield=True):
            rows = tuple(self._settled_as(n, most, answers[n]) for n, most in self._sent.items())
            keep = partial(keep_rows, run_id=run.record.run_id, rows=rows)
            await self._store.keep(f"{run.record.run_id} rows", keep)
        run.grew()

    def _read_all(self, run_id: str, batch: Batch) -> dict[int, Answered]:
        found = {result.custom_id: result for result in batch.results}
        return {n: self._answered(found.get(f"{run_id}-{n}"), batch) for n in self._sent}

    def _answered(self, result: BatchResult | None, batch: Batch) -> Answered:
        if result is None:
            quote = batch.error.message if batch.error is not None else ""
            # What is refused as a whole is not billed; of what ends early nobody says so.
            is_refused = batch.status == "failed"
            failure = UpstreamFailed(_ENDS[batch.status], quote=quote, may_be_billed=not is_refused)
            return Answered(cost_usd=Decimal(0) if is_refused else None, failure=failure)
        answer = result.response
        if answer is not None and answer.body is not None and answer.status_code in (None, 200):
            return self._read(answer.body)
        told = result.error or ErrorBody.model_validate(((answer and answer.body) or {}).get("error") or {})
        return Answered(cost_usd=Decimal(0), failure=from_error(told, status=answer.status_code if answer else None))
