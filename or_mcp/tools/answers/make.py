"""What `make` answers, in both forms."""

from __future__ import annotations

from collections.abc import Iterator

from or_mcp.calls.keepsake import Shown
from or_mcp.calls.quoting import named, quoted
from or_mcp.calls.reply import Maybe, Reply, Some
from or_mcp.media.result import MediaResult, MediaUsage, Part
from or_mcp.media.written import written
from or_mcp.runs.record import RunRecord
from or_mcp.tools.answers.files import FileRow, file_lines, file_links, file_rows
from or_mcp.tools.answers.paid import (
    PaidAnswer,
    about_the_run,
    by,
    comes_back,
    fitted,
    how_it_stands,
    in_both_forms,
    paid,
)


class MakeAnswer(PaidAnswer):
    """The structured form."""

    LAST = "elapsed_seconds notes"

    kind: str
    files: Some[list[FileRow]]
    text: Maybe[str] = None
    segments: Maybe[list[Part]] = None
    language: Maybe[str] = None
    model: Maybe[str] = None
    usage: Maybe[MediaUsage] = None


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
        kind=result.kind,
        files=rows,
        text=result.text[:room] or None,
        segments=list(result.segments[:segments]) or None,
        language=result.language,
        model=result.model,
        usage=result.usage,
        **paid(record, result, shown, _notes(record, result, shown, room, segments)),
    )
    return in_both_forms(_text(record, answer, shown), answer, shown, file_links(rows), comes_back(record))


def _notes(record: RunRecord, result: MediaResult, shown: Shown, room: int, segments: int) -> Iterator[str]:
    yield from about_the_run(record, shown)
    if record.status == "completed" and len(result.files) < result.wanted:
        yield f"{len(result.files)} of {result.wanted} were made: the provider made no more."
    if len(result.text) > room or len(result.segments) > segments:
        yield f"The transcript is longer than is shown: run(run_id={record.run_id!r}, part='result') has all of it."


def _came_of_it(answer: MakeAnswer) -> str:
    """What was made, and by whom."""
    count = len(answer.files)
    made = "Transcribed" if answer.kind == "transcript" else f"Made {count} {answer.kind}{'s' if count > 1 else ''}"
    return by(made, answer.model)


def _text(record: RunRecord, answer: MakeAnswer, shown: Shown) -> Iterator[str]:
    yield from how_it_stands(record, _came_of_it(answer), answer.error, shown)
    yield from file_lines(answer.files)
    yield from (f"Note: {note}" for note in answer.notes)
    if answer.text:
        said = "\n".join(map(_said, answer.segments)) if answer.segments else answer.text
        yield quoted(answer.run_id, f"transcript by {named(answer.model or 'the model')}", said)


def _said(part: Part) -> str:
    who = f" {named(part.speaker)}" if part.speaker else ""
    return f"[{part.start:.1f} s{who}] {part.text}"
