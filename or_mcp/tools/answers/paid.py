"""What every paid answer tells: of its price, of its run, and as much as a host takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

import mcp_types

from or_mcp.calls.explain import explanation, failure_of
from or_mcp.calls.keepsake import Result, Shown
from or_mcp.calls.quoting import named
from or_mcp.calls.reply import LIMIT, Answer, Maybe, Reply, Some, usd
from or_mcp.runs.record import RunRecord, Status

SizeT = TypeVar("SizeT")
_A_CENT = Decimal("0.01")
# From here on tenths say nothing.
_WHOLE_SECONDS = 10


class EstimateRange(Answer):
    """What the call was estimated to cost, and what it could cost as it was sent; a null `most` is not bounded."""

    low: Maybe[float] = None
    high: Maybe[float] = None
    most: float | None


class PaidAnswer(Answer):
    """What every paid answer tells: its run first; what it cost and how it went after what the tool itself tells."""

    run_id: str
    tool: Maybe[str] = None
    status: Status
    cost_usd: float | None
    provider_cost_usd: Maybe[float] = None
    cost_estimate_usd: EstimateRange
    elapsed_seconds: float
    generation_id: Maybe[str] = None
    error: Maybe[str] = None
    replayed: bool
    notes: Some[list[str]]

    LAST: ClassVar[str] = ""
    """Fields that stand after all others, where a tool has them in an order of its own."""

    @classmethod
    def __pydantic_init_subclass__(cls, **given: Any) -> None:
        super().__pydantic_init_subclass__(**given)
        for name in f"{_AT_THE_END} {cls.LAST}".split():
            if name in cls.model_fields:
                cls.model_fields[name] = cls.model_fields.pop(name)


_AT_THE_END = "cost_usd provider_cost_usd cost_estimate_usd usage elapsed_seconds generation_id error replayed notes"


def paid(record: RunRecord, result: Result, shown: Shown, notes: Iterable[str]) -> dict[str, Any]:
    """The fields of a `PaidAnswer` itself."""
    asked = record.request
    return {
        "run_id": record.run_id,
        "status": record.status,
        "cost_usd": usd(record.cost_usd),
        "provider_cost_usd": usd(result.provider_cost_usd),
        "cost_estimate_usd": EstimateRange(
            low=_rounded(asked.low_usd), high=_rounded(asked.high_usd), most=_rounded(asked.most_usd)
        ),
        "elapsed_seconds": record.elapsed_seconds(),
        "generation_id": record.generation_id,
        "error": _why_it_failed(record),
        "replayed": shown.replayed,
        "notes": [*notes, *shown.notes],
    }


def in_both_forms(
    lines: Iterable[str],
    answer: PaidAnswer,
    shown: Shown,
    links: tuple[mcp_types.ResourceLink, ...] = (),
    advice: Iterable[str] = (),
) -> Reply:
    """Both forms; the text ends with what it cost."""
    text = "\n".join([*lines, *([shown.cost_line] if shown.cost_line else [])])
    return Reply(text, answer, links, shown.cost_line, tuple(advice))


def _rounded(amount: Decimal | None) -> float | None:
    return None if amount is None else float(round(amount, 6))


def fitted(made: Callable[[SizeT], Reply], sizes: Sequence[SizeT], limit: int = LIMIT) -> Reply:
    """The answer at the first size at which both forms fit; the last size fits whatever came."""
    for size in sizes[:-1]:
        reply = made(size)
        if len(reply.text) <= limit and len(reply.structured.model_dump_json()) <= limit:
            return reply
    return made(sizes[-1])


def _why_it_failed(record: RunRecord) -> str | None:
    """One line, or nothing where nothing did."""
    return explanation(failure_of(record), record).split("\n", 1)[0] if record.failure else None


def comes_back(record: RunRecord) -> Iterator[str]:
    """Advice to whoever calls tools: how a run that goes on is read."""
    if not record.finished:
        yield f"Still running: call run with run_id {record.run_id!r} and wait_seconds to get the answer."


def about_the_run(record: RunRecord, shown: Shown) -> Iterator[str]:
    """What to know of it before all else."""
    yield from comes_back(record)
    yield from was_paid_for(record, shown)


def was_paid_for(record: RunRecord, shown: Shown) -> Iterator[str]:
    """That an answer had been paid for before."""
    if shown.replayed and record.finished:
        yield f"Paid for at {record.started:%Y-%m-%d %H:%M} UTC and not received then; nothing was paid now."


def by(came_of_it: str, *who: str | None) -> str:
    """What came of a run, and by whom, as far as that is known."""
    return " · ".join([came_of_it, *(named(each) for each in who if each)])


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
