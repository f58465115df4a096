"""What `rerank` answers, in both forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from or_mcp.calls.keepsake import Shown
from or_mcp.calls.quoting import named, quoted
from or_mcp.calls.reply import Answer, Maybe, Reply, Some, usd
from or_mcp.openrouter.errors import shorten
from or_mcp.runs.record import RunRecord, Status
from or_mcp.tools.answers.paid import (
    EstimateRange,
    comes_back,
    estimate_range,
    fitted,
    how_it_stands,
    was_paid_for,
    why_it_failed,
)
from or_mcp.vectors.relevance import RerankResult


class RerankRow(Answer):
    """One document."""

    index: int
    relevance_score: float
    text: str


class RerankUsage(Answer):
    """What was counted."""

    search_units: Maybe[int] = None
    total_tokens: Maybe[int] = None


class RerankAnswer(Answer):
    """The structured form."""

    run_id: str
    tool: Maybe[str] = None
    status: Status
    results: Some[list[RerankRow]]
    model: Maybe[str] = None
    provider: Maybe[str] = None
    cost_usd: float | None
    provider_cost_usd: Maybe[float] = None
    cost_estimate_usd: EstimateRange
    usage: Maybe[RerankUsage] = None
    elapsed_seconds: float
    generation_id: Maybe[str] = None
    error: Maybe[str] = None
    replayed: bool
    notes: Some[list[str]]


# Characters of a document, and how many documents.
_SIZES = ((200, 1000), (200, 100), (80, 100), (20, 50))


def show(record: RunRecord, result: RerankResult, shown: Shown) -> Reply:
    """The answer, shortened until both forms fit."""
    return fitted(lambda size: _reply(record, result, shown, *size), _SIZES)


def _reply(record: RunRecord, result: RerankResult, shown: Shown, chars: int, rows: int) -> Reply:
    answer = RerankAnswer(
        run_id=record.run_id,
        status=record.status,
        results=[
            RerankRow(index=row.index, relevance_score=row.score, text=shorten(row.text, chars))
            for row in result.results[:rows]
        ],
        model=result.model,
        provider=result.provider,
        cost_usd=usd(record.cost_usd),
        provider_cost_usd=usd(result.provider_cost_usd),
        cost_estimate_usd=estimate_range(record),
        usage=RerankUsage(search_units=result.search_units, total_tokens=result.total_tokens),
        elapsed_seconds=record.elapsed_seconds(),
        generation_id=record.generation_id,
        error=why_it_failed(record),
        replayed=shown.replayed,
        notes=[*_notes(record, result, shown, rows), *shown.notes],
    )
    return Reply("\n".join(_text(record, answer, result, shown)), answer, cost_line=shown.cost_line)


def _notes(record: RunRecord, result: RerankResult, shown: Shown, rows: int) -> Iterator[str]:
    yield from comes_back(record)
    yield from was_paid_for(record, shown)
    if len(result.results) > rows:
        rest = f"run(run_id={record.run_id!r}, part='result')"
        yield f"{rows} of {len(result.results)} documents are shown; all: {rest}."


def _text(record: RunRecord, answer: RerankAnswer, result: RerankResult, shown: Shown) -> Iterator[str]:
    by = " · ".join(named(part) for part in (answer.model, answer.provider) if part)
    ordered = f"Ordered {len(result.results):,} documents"
    yield from how_it_stands(record, f"{ordered} · {by}" if by else ordered, answer.error, shown)
    if answer.results:
        yield quoted(answer.run_id, "order: relevance [index] document", _listed(answer.results))
    yield from (f"Note: {note}" for note in answer.notes)
    if shown.cost_line:
        yield shown.cost_line


def _listed(rows: Sequence[RerankRow]) -> str:
    return "\n".join(f"{n}. {row.relevance_score:.4f} [{row.index}] {row.text}" for n, row in enumerate(rows, 1))
