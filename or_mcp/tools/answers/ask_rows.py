"""What `ask` answers about many rows, in both forms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from or_mcp.calls.keepsake import Shown
from or_mcp.calls.quoting import named, quoted
from or_mcp.calls.reply import Reply, usd
from or_mcp.conversation.rows import ROW
from or_mcp.openrouter.errors import shorten
from or_mcp.rows.result import Brought
from or_mcp.runs.record import RunRecord
from or_mcp.runs.rows import Row
from or_mcp.tools.answers.ask import AskAnswer, RowResult
from or_mcp.tools.answers.paid import estimate_range, fitted, how_it_stands, why_it_failed
from or_mcp.tools.answers.rows import about_the_rows, count_of, counted, failed, file_of, link_to

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
    answer = AskAnswer(
        run_id=record.run_id,
        status=record.status,
        text="",
        tool_calls=[],
        citations=[],
        model=together.model,
        cost_usd=usd(record.cost_usd),
        provider_cost_usd=usd(together.provider_cost_usd),
        cost_estimate_usd=estimate_range(record),
        usage=together.usage,
        error=why_it_failed(record),
        replayed=shown.replayed,
        elapsed_seconds=record.elapsed_seconds(),
        rows=count_of(brought),
        results=rows,
        failed=failed(record, _FAILED),
        file=file,
        notes=[*about_the_rows(record, brought, shown), *_cut(record, brought, rows, chars), *shown.notes],
    )
    return Reply("\n".join(_text(record, brought, answer, shown)), answer, link_to(file), shown.cost_line)


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
    by = f" · {named(answer.model)}" if answer.model else ""
    yield from how_it_stands(record, f"Answered {counted(brought)}{by}", answer.error, shown)
    yield from (f"Note: {note}" for note in answer.notes)
    if answer.results:
        listed = "\n".join(f"{row.row}: {shorten(row.text, 2_000)}" for row in answer.results)
        yield quoted(answer.run_id, f"row: answer by {named(answer.model or 'the model')}", listed)
    yield from (f"Row {row.row} failed: {row.error}" for row in answer.failed)
    if answer.file is not None:
        yield f"All rows: {answer.file.path}"
    if shown.cost_line:
        yield shown.cost_line
