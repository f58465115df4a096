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
_A_CENT = Decimal("0.01")
# From here on tenths say nothing.
_WHOLE_SECONDS = 10


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


def how_it_stands(record: RunRecord, came_of_it: str, error: str | None, shown: Shown) -> Iterator[str]:
    """The first line, which some hosts show alone: what came of it, what it cost, how long it took, which run it is."""
    end = f"{_seconds(record)} · {record.run_id}"
    if record.status == "running":
        yield f"Running · {shown.progress or 'in another process'} · {end}"
        return
    done = record.status == "completed"
    yield f"{came_of_it if done else record.status.capitalize()} · {in_short(record.cost_usd)} · {end}"
    if not done:
        yield error or "No reason is recorded."


def _seconds(record: RunRecord) -> str:
    elapsed = record.elapsed_seconds()
    return f"{elapsed:.0f} s" if elapsed >= _WHOLE_SECONDS else f"{elapsed:.1f} s"


def in_short(amount: Decimal | None) -> str:
    """A cost at a glance: cents, or what there is of a cent."""
    if amount is None:
        return "cost unknown"
    return f"${amount:.2f}" if amount >= _A_CENT or not amount else f"${Decimal(f'{amount:.2g}'):f}"
