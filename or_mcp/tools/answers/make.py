"""What `make` answers, in both forms."""

from __future__ import annotations

from collections.abc import Iterator

from or_mcp.calls.keepsake import Shown
from or_mcp.calls.quoting import named, quoted
from or_mcp.calls.reply import Answer, Maybe, Reply, Some, usd
from or_mcp.media.result import MediaResult, MediaUsage, Part
from or_mcp.media.written import written
from or_mcp.runs.record import RunRecord, Status
from or_mcp.tools.answers.files import FileRow, file_lines, file_links, file_rows
from or_mcp.tools.answers.paid import (
    EstimateRange,
    comes_back,
    estimate_range,
    fitted,
    how_it_stands,
    was_paid_for,
    why_it_failed,
)


class MakeAnswer(Answer):
    """The structured form."""

    run_id: str
    tool: Maybe[str] = None
    status: Status
    kind: str
    files: Some[list[FileRow]]
    text: Maybe[str] = None
    segments: Maybe[list[Part]] = None
    language: Maybe[str] = None
    model: Maybe[str] = None
    cost_usd: float | None
    provider_cost_usd: Maybe[float] = None
    cost_estimate_usd: EstimateRange
    usage: Maybe[MediaUsage] = None
    generation_id: Maybe[str] = None
    error: Maybe[str] = None
    replayed: bool
    elapsed_seconds: float
    notes: Some[list[str]]


# Characters of a transcript and how many of its segments, tried in turn until both forms fit.
_SIZES = ((16_000, 150), (8_000, 50), (2_000, 0))


def show(record: RunRecord, result: MediaResult, shown: Shown) -> Reply:
    """The answer, shortened until both forms fit, with how to get the rest."""
    return fitted(lambda size: _reply(record, result, shown, *size), _SIZES)


def full_text(result: MediaResult) -> str:
    """A transcript; else what was made."""
    if result.kind == "transcript":
        return written(result, "text")[0]
    return "\n".join(f"{file.name} {file.mime} {file.bytes} bytes" for file in result.files)


def _reply(record: RunRecord, result: MediaResult, shown: Shown, room: int, segments: int) -> Reply:
    rows = file_rows(record.run_id, result.files, shown)
    answer = MakeAnswer(
        run_id=record.run_id,
        status=record.status,
        kind=result.kind,
        files=rows,
        text=result.text[:room] or None,
        segments=list(result.segments[:segments]) or None,
        language=result.language,
        model=result.model,
        cost_usd=usd(record.cost_usd),
        provider_cost_usd=usd(result.provider_cost_usd),
        cost_estimate_usd=estimate_range(record),
        usage=result.usage,
        generation_id=record.generation_id,
        error=why_it_failed(record),
        replayed=shown.replayed,
        elapsed_seconds=record.elapsed_seconds(),
        notes=[*_notes(record, result, shown, room, segments), *shown.notes],
    )
    text = "\n".join(_text(record, answer, shown))
    return Reply(text, answer, file_links(rows), shown.cost_line, tuple(comes_back(record)))


def _notes(record: RunRecord, result: MediaResult, shown: Shown, room: int, segments: int) -> Iterator[str]:
    yield from comes_back(record)
    yield from was_paid_for(record, shown)
    if record.status == "completed" and len(result.files) < result.wanted:
        yield f"{len(result.files)} of {result.wanted} were made: the provider made no more."
    if len(result.text) > room or len(result.segments) > segments:
        yield f"The transcript is longer than is shown: run(run_id={record.run_id!r}, part='result') has all of it."


def _came_of_it(answer: MakeAnswer) -> str:
    """What was made, and by whom."""
    count = len(answer.files)
    made = "Transcribed" if answer.kind == "transcript" else f"Made {count} {answer.kind}{'s' if count > 1 else ''}"
    return f"{made} · {named(answer.model)}" if answer.model else made


def _text(record: RunRecord, answer: MakeAnswer, shown: Shown) -> Iterator[str]:
    yield from how_it_stands(record, _came_of_it(answer), answer.error, shown)
    yield from file_lines(answer.files)
    yield from (f"Note: {note}" for note in answer.notes)
    if answer.text:
        said = "\n".join(map(_said, answer.segments)) if answer.segments else answer.text
        yield quoted(answer.run_id, f"transcript by {named(answer.model or 'the model')}", said)
    if shown.cost_line:
        yield shown.cost_line


def _said(part: Part) -> str:
    who = f" {named(part.speaker)}" if part.speaker else ""
    return f"[{part.start:.1f} s{who}] {part.text}"
