"""What `rerank` answers, in both forms."""

from __future__ import annotations

from collections.abc import Iterator

from or_mcp.calls.keepsake import Shown
from or_mcp.calls.quoting import quoted
from or_mcp.calls.reply import Answer, Maybe, Reply, Some
from or_mcp.openrouter.errors import shorten
from or_mcp.runs.record import RunRecord
from or_mcp.tools.answers.paid import PaidAnswer, about_the_run, by, fitted, how_it_stands, in_both_forms, paid
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


class RerankAnswer(PaidAnswer):
    """The structured form."""

    results: Some[list[RerankRow]]
    model: Maybe[str] = None
    provider: Maybe[str] = None
    usage: Maybe[RerankUsage] = None


# Characters of a document, and how many documents.
_SIZES = ((200, 1000), (200, 100), (80, 100), (20, 50))


def show(record: RunRecord, result: RerankResult, shown: Shown) -> Reply:
    """The answer, shortened until both forms fit."""
    return fitted(lambda size: _reply(record, result, shown, *size), _SIZES)


def _reply(record: RunRecord, result: RerankResult, shown: Shown, chars: int, rows: int) -> Reply:
    answer = RerankAnswer(
        results=[
            RerankRow(index=row.index, relevance_score=row.score, text=shorten(row.text, chars))
            for row in result.results[:rows]
        ],
        model=result.model,
        provider=result.provider,
        usage=RerankUsage(search_units=result.search_units, total_tokens=result.total_tokens),
        **paid(record, result, shown, _notes(record, result, shown, rows)),
    )
    return in_both_forms(_text(record, answer, result, shown), answer, shown)


def _notes(record: RunRecord, result: RerankResult, shown: Shown, rows: int) -> Iterator[str]:
    yield from about_the_run(record, shown)
    if len(result.results) > rows:
        rest = f"run(run_id={record.run_id!r}, part='result')"
        yield f"{rows} of {len(result.results)} documents are shown; all: {rest}."


def _text(record: RunRecord, answer: RerankAnswer, result: RerankResult, shown: Shown) -> Iterator[str]:
    ordered = by(f"Ordered {len(result.results):,} documents", answer.model, answer.provider)
    yield from how_it_stands(record, ordered, answer.error, shown)
    if answer.results:
        rows = [f"{n}. {row.relevance_score:.4f} [{row.index}] {row.text}" for n, row in enumerate(answer.results, 1)]
        yield quoted(answer.run_id, "order: relevance [index] document", "\n".join(rows))
    yield from (f"Note: {note}" for note in answer.notes)
