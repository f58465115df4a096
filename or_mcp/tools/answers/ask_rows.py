"""What `ask` answers about many rows, in both forms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from or_mcp.calls.keepsake import Shown
from or_mcp.calls.quoting import named, quoted
from or_mcp.calls.reply import Reply
from or_mcp.conversation.rows import ROW
from or_mcp.openrouter.errors import shorten
from or_mcp.rows.result import Brought
from or_mcp.runs.record import RunRecord
from or_mcp.runs.rows import Row
from or_mcp.tools.answers.ask import AskAnswer, RowResult
from or_mcp.tools.answers.paid import by, fitted, how_it_stands, in_both_forms, paid
from or_mcp.tools.answers.rows import about_the_rows, beside, count_of, counted, failed, file_of, link_to

# Rows, and characters of each, tried in turn until both forms fit.
_SIZES = ((1_000, 2_000), (1_000, 300), (300, 300), (100, 300), (40, 300), (20, 120), (3, 60))
_FAILED = 20


def show_rows(record: RunRecord, brought: Brought, shown: Shown) -> Reply:
    """The answer, shortened until both forms fit."""
    return fitted(partial(_reply, record, brought, shown), _SIZES)


def _reply(record: RunRecord, brought: Brought, shown: Shown, size: tuple[int, int]) -> Reply:
    most, chars = size
    together, file = brought.together, file_of(record, brought.together)
    rows = [_row(row, chars) for row in brought.answered[:most]]
    notes = [*about_the_rows(record, brought, shown), *_cut(record, brought, rows, chars)]
    answer = AskAnswer(
        text="",
        tool_calls=[],
        citations=[],
        model=together.model,
        usage=together.usage,
        rows=count_of(brought),
        results=rows,
        failed=failed(record, _FAILED),
        file=file,
        **paid(record, brought, shown, notes),
    )
    return in_both_forms(_text(record, brought, answer, shown), answer, shown, link_to(file))


def _row(row: Row, chars: int) -> RowResult:
    said = ROW.validate_json(row.body)
    is_whole = len(said.text) <= chars
    text = said.text if is_whole else f"{said.text[: chars - 1]}…"
    return RowResult(row=row.n, text=text, value=said.json if is_whole else None)


def _cut(record: RunRecord, brought: Brought, rows: list[RowResult], chars: int) -> Iterator[str]:
    rest = f"run(run_id={record.run_id!r}, part='result')"
    if len(rows) < len(brought.answered):
        yield f"{len(rows):,} of {len(brought.answered):,} answered rows are shown; all: {rest}."
    elif any(len(row.text) == chars and row.text.endswith("…") for row in rows):
        yield f"Long answers are shown in part; all: {rest}."


def _text(record: RunRecord, brought: Brought, answer: AskAnswer, shown: Shown) -> Iterator[str]:
    yield from how_it_stands(record, by(f"Answered {counted(brought)}", answer.model), answer.error, shown)
    yield from (f"Note: {note}" for note in answer.notes)
    if answer.results:
        listed = "\n".join(f"{row.row}: {shorten(row.text, 2_000)}" for row in answer.results)
        yield quoted(answer.run_id, f"row: answer by {named(answer.model or 'the model')}", listed)
    yield from beside(answer.failed, answer.file)
