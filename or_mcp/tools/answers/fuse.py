"""What `fuse` answers, in both forms, at the size that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from or_mcp.calls.keepsake import Shown
from or_mcp.calls.quoting import named, quoted
from or_mcp.calls.reply import LIMIT, Answer, Maybe, Reply, Some, cut
from or_mcp.fusion.analysis import Analysis, Contradiction, Coverage, Insight, Stance
from or_mcp.fusion.result import FusionResult, Outcome, PanelMember, Source, WriterUsage
from or_mcp.openrouter.errors import shorten
from or_mcp.runs.record import RunRecord
from or_mcp.tools.answers.paid import PaidAnswer, comes_back, fitted, how_it_stands, in_both_forms, paid, was_paid_for

# About three thousand tokens in each form, so that a fusion is read whole by whoever has a small window.
STANDARD_LIMIT = 11_500
# As many as a panel has.
_NAMED = 8
# The parts of an analysis in the order and the words of every text, of the terminal and of the page.
HEADINGS = {
    "contradictions": "Disagreements",
    "unique_insights": "Unique insights",
    "blind_spots": "Blind spots",
    "consensus": "Consensus",
    "partial_coverage": "Partial coverage",
}
OUTCOMES: dict[Outcome | None, str] = {
    "fused": "Fused",
    "partial_panel": "Partial panel",
    "no_analysis": "No analysis",
    "not_fused": "Not fused: one model wrote this alone",
}


class PanelRow(Answer):
    """One panelist."""

    model: str
    status: Literal["pending", "answered", "failed"]
    chars: int
    error: Maybe[str] = None
    status_code: Maybe[int] = None


class FailedRow(Answer):
    """A panelist with no reply, and why."""

    model: str
    error: str
    status_code: Maybe[int] = None


class ResponseRow(Answer):
    """What one panelist wrote."""

    model: str
    content: str


class FuseAnswer(PaidAnswer):
    """The structured form."""

    LAST = (
        "error sources analyst_model model cost_usd provider_cost_usd cost_estimate_usd usage elapsed_seconds "
        "generation_id replayed notes"
    )

    outcome: Maybe[Outcome] = None
    answer: str
    analysis: Maybe[Analysis] = None
    panel: Some[list[PanelRow]]
    responses: Some[list[ResponseRow]]
    failed_models: Some[list[FailedRow]]
    failure_reason: Maybe[str] = None
    sources: Some[list[Source]]
    analyst_model: Maybe[str] = None
    model: Maybe[str] = None
    usage: Maybe[WriterUsage] = None


@dataclass(frozen=True, slots=True)
class _Size:
    """How much of each part is shown."""

    answer: int
    item: int
    rows: int
    panelist: int = 0


# Tried in turn until both forms fit. The answer gives way first, then the length of the analysis's points, then their
# number: a cut answer can be read on by page, a point that is left out is missed.
_STANDARD = (
    _Size(10_000, 600, 12),
    _Size(8000, 600, 12),
    _Size(6000, 600, 12),
    _Size(4500, 300, 8),
    _Size(3000, 160, 6),
    _Size(1800, 90, 4),
    _Size(900, 60, 2),
)
# The same, with what every panelist wrote: as much as a host takes.
_FULL = (
    _Size(44_000, 2000, 60, 44_000),
    _Size(32_000, 2000, 60, 16_000),
    _Size(20_000, 2000, 60, 8000),
    _Size(14_000, 800, 30, 5000),
    _Size(9000, 500, 20, 2500),
    _Size(6000, 300, 12, 1500),
    _Size(3000, 160, 8, 800),
)


def show(record: RunRecord, result: FusionResult, shown: Shown) -> Reply:
    """The answer at the size asked for: parts shrink until both forms fit, and the rest is named."""
    limit, sizes = (LIMIT, _FULL) if shown.detail == "full" else (STANDARD_LIMIT, _STANDARD)
    return fitted(partial(_reply, record, result, shown), sizes, limit)


def _reply(record: RunRecord, result: FusionResult, shown: Shown, room: _Size) -> Reply:
    rest = f"the rest: run(run_id={record.run_id!r}, part='result')"
    analysis = None if shown.detail == "brief" else _fit_analysis(result.analysis, room)
    advice = list(_advice(record, result, shown, analysis, room))
    facts = paid(record, result, shown, [*result.notes, *was_paid_for(record, shown), *advice])
    facts["error"] = facts["error"] or result.error
    sources = result.sources[: 0 if shown.detail == "brief" else room.rows]
    answer = FuseAnswer(
        outcome=result.outcome,
        answer=cut(result.answer, room.answer, rest),
        analysis=analysis,
        panel=[_row(member) for member in result.panel],
        responses=_responses(record, result, shown, room),
        failed_models=[_failed(member) for member in result.failed],
        failure_reason=result.failure_reason,
        sources=[Source(source.url, source.title[: room.item]) for source in sources],
        analyst_model=result.analyst_model,
        model=result.model,
        usage=result.usage,
        **facts,
    )
    # Who failed is told in the list of them.
    return in_both_forms(_text(record, answer, result, shown), answer, shown, advice=(*result.notes[1:], *advice))


def _row(member: PanelMember) -> PanelRow:
    return PanelRow(
        model=member.model,
        status=member.status,
        chars=len(member.text),
        error=cut(member.error, 100, "see failed_models") if member.error else None,
        status_code=member.status_code,
    )


def _failed(member: PanelMember) -> FailedRow:
    return FailedRow(
        model=member.model, error=(member.error or "failed without a reason")[:300], status_code=member.status_code
    )


def _responses(record: RunRecord, result: FusionResult, shown: Shown, room: _Size) -> list[ResponseRow]:
    if shown.detail != "full":
        return []
    return [
        ResponseRow(
            model=member.model,
            content=cut(
                member.text,
                room.panelist,
                f"the rest: run(run_id={record.run_id!r}, part='panel', model={member.model!r})",
            ),
        )
        for member in result.panel
        if member.text
    ]


def _fit_analysis(analysis: Analysis | None, room: _Size) -> Analysis | None:
    if analysis is None:
        return None
    item, rows = room.item, room.rows

    def short(text: str) -> str:
        return text if len(text) <= item else text[: item - 1] + "…"

    def disputed(each: Contradiction) -> Contradiction:
        stances = [Stance(short(stance.model), short(stance.stance)) for stance in each.stances[:_NAMED]]
        return Contradiction(short(each.topic), tuple(stances))

    def covered(each: Coverage) -> Coverage:
        return Coverage(short(each.point), tuple(short(name) for name in each.models[:_NAMED]))

    return Analysis(
        consensus=tuple(short(point) for point in analysis.consensus[:rows]),
        contradictions=tuple(disputed(each) for each in analysis.contradictions[:rows]),
        partial_coverage=tuple(covered(each) for each in analysis.partial_coverage[:rows]),
        unique_insights=tuple(
            Insight(short(each.model), short(each.insight)) for each in analysis.unique_insights[:rows]
        ),
        blind_spots=tuple(short(point) for point in analysis.blind_spots[:rows]),
    )


def _advice(
    record: RunRecord, result: FusionResult, shown: Shown, analysis: Analysis | None, room: _Size
) -> Iterator[str]:
    yield from comes_back(record)
    if len(result.answer) > room.answer:
        yield f"The answer is cut; all of it: run(run_id={record.run_id!r}, part='result')."
    if analysis is not None and analysis != result.analysis:
        yield f"The analysis is shortened; all of it: resource openrouter://runs/{record.run_id}."
    if shown.detail != "brief" and len(result.sources) > room.rows:
        yield f"{len(result.sources) - room.rows} more sources: resource openrouter://runs/{record.run_id}."
    if shown.detail == "standard" and any(member.text for member in result.panel):
        yield f"Panelists' full texts: run(run_id={record.run_id!r}, part='panel')."
    if shown.detail == "full" and any(len(member.text) > room.panelist for member in result.panel):
        yield f"Some panelists' texts are cut; all of them: run(run_id={record.run_id!r}, part='panel')."


def _text(record: RunRecord, answer: FuseAnswer, result: FusionResult, shown: Shown) -> Iterator[str]:
    first = len(result.notes)
    yield from how_it_stands(record, _came_of_it(answer, result), answer.error, shown)
    yield from answer.notes[:first]
    if answer.answer:
        yield quoted(answer.run_id, f"answer by {named(answer.model or 'the writer')}", answer.answer)
    if answer.analysis is not None:
        yield quoted(
            answer.run_id, f"analysis by {named(answer.analyst_model or 'the analyst')}", told_analysis(answer.analysis)
        )
    for row in answer.responses:
        yield quoted(answer.run_id, f"panelist {named(row.model)}", row.content)
    if answer.panel and not (record.status == "running" and shown.progress):
        yield _panel_line(answer.panel)
    if answer.outcome is None:
        yield from (f'Failed: {named(row.model)}{_code(row)}: "{shorten(row.error)}"' for row in answer.failed_models)
    if answer.sources:
        listed = "\n".join(f"- {source.title} <{source.url}>" for source in answer.sources)
        yield quoted(answer.run_id, "sources, as cited", listed)
    yield from (f"Note: {note}" for note in answer.notes[first:])


def told_analysis(analysis: Analysis) -> str:
    """Where they disagree first, what only one saw, what nobody covered, then the rest."""
    parts = (
        [_contradiction(each) for each in analysis.contradictions],
        [f"{each.model or 'one'}: {each.insight}" for each in analysis.unique_insights],
        list(analysis.blind_spots),
        list(analysis.consensus),
        [f"{each.point} ({', '.join(each.models)})" for each in analysis.partial_coverage],
    )
    listed = [
        f"{title}:\n" + "\n".join(f"- {row}" for row in rows)
        for title, rows in zip(HEADINGS.values(), parts, strict=True)
        if rows
    ]
    return "\n".join(listed) or "The analyst found nothing to compare."


def _contradiction(each: Contradiction) -> str:
    stances = "".join(f"\n  - {stance.model or 'one'}: {stance.stance}" for stance in each.stances)
    return f"{each.topic}{stances}"


def _came_of_it(answer: FuseAnswer, result: FusionResult) -> str:
    """The outcome, how many of the panel answered, and whether the answer came to its end."""
    panel = f" {_answered(answer.panel)}/{len(answer.panel)}" if answer.panel else ""
    cut_off = f", cut off ({result.cut_off})" if result.cut_off else ""
    return f"{OUTCOMES.get(answer.outcome, 'Completed')}{'' if answer.outcome == 'not_fused' else panel}{cut_off}"


def _answered(panel: Sequence[PanelRow]) -> int:
    return sum(row.status == "answered" for row in panel)


def _panel_line(panel: Sequence[PanelRow]) -> str:
    marks = {"answered": "✓", "failed": "✗", "pending": "…"}
    each = " · ".join(f"{named(row.model)} {marks[row.status]}" for row in panel)
    return f"Panel: {_answered(panel)}/{len(panel)} answered" + (f" · {each}" if each else "")


def _code(row: FailedRow) -> str:
    return f" ({row.status_code})" if row.status_code else ""
