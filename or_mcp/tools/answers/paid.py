"""What every paid answer tells: of its price, of its run, and as much as a host takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TypeVar

from or_mcp.calls.explain import explanation, failure_of
from or_mcp.calls.keepsake import Shown
from or_mcp.calls.reply import LIMIT, Answer, Maybe, Reply
from or_mcp.runs.record import RunRecord

SizeT = TypeVar("SizeT")


class EstimateRange(Answer):
    """What the call was estimated to cost, and what it could cost as it was sent; a null `most` is not bounded."""

    low: Maybe[float] = None
    high: Maybe[float] = None
    most: float | None


def estimate_range(record: RunRecord) -> EstimateRange:
    """The estimate that a run was admitted with."""
    return EstimateRange(
        low=_rounded(record.request.low_usd),
        high=_rounded(record.request.high_usd),
        most=_rounded(record.request.most_usd),
    )


def _rounded(amount: Decimal | None) -> float | None:
    return None if amount is None else float(round(amount, 6))


def fitted(made: Callable[[SizeT], Reply], sizes: Sequence[SizeT], limit: int = LIMIT) -> Reply:
    """The answer at the first size at which both forms fit; the last size fits whatever came."""
    for size in sizes[:-1]:
        reply = made(size)
        if len(reply.text) <= limit and len(reply.structured.model_dump_json()) <= limit:
            return reply
    return made(sizes[-1])


def why_it_failed(record: RunRecord) -> str | None:
    """One line, or nothing where nothing did."""
    return explanation(failure_of(record), record).split("\n", 1)[0] if record.failure else None


def comes_back(record: RunRecord) -> Iterator[str]:
    """Advice to whoever calls tools: how a run that goes on is read."""
    if not record.finished:
        yield f"Still running: call run with run_id {record.run_id!r} and wait_seconds to get the answer."


def was_paid_for(record: RunRecord, shown: Shown) -> Iterator[str]:
    """That an answer had been paid for before."""
    if shown.replayed and record.finished:
        yield f"Paid for at {record.started:%Y-%m-%d %H:%M} UTC and not received then; nothing was paid now."


def how_it_stands(record: RunRecord, error: str | None, shown: Shown) -> Iterator[str]:
    """The first line of what has not come to its answer."""
    if record.status == "running":
        yield f"Running: {record.run_id} · {shown.progress or 'in another process'}"
    elif record.status != "completed":
        yield f"{record.status.capitalize()}: {error or 'no reason recorded'}"
