"""What every run of many rows tells: which rows failed, what was taken over, why it ended early, where all are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import mcp_types

from or_mcp.calls.explain import sentence
from or_mcp.calls.keepsake import Shown
from or_mcp.calls.reply import Answer
from or_mcp.openrouter.errors import shorten
from or_mcp.rows.lines import why_failed
from or_mcp.rows.result import Brought, RowsResult
from or_mcp.runs.record import RunRecord
from or_mcp.runs.rows import Row
from or_mcp.tools.answers.paid import about_the_run

_ERROR_CHARS = 300


class FailedRow(Answer):
    """A row that was not answered, and why."""

    row: int
    error: str


class RowsCount(Answer):
    """How many rows there are, and how many have come to their end."""

    total: int
    answered: int
    failed: int


class RowsFile(Answer):
    """Where every row is, as a line of JSON."""

    path: str
    rows: int


def failed(record: RunRecord, most: int) -> list[FailedRow]:
    """The rows that were not, as many as are shown."""
    rows = (row for row in record.rows if row.state == "failed" or (row.state == "sent" and record.finished))
    return [FailedRow(row=row.n, error=_why(row)) for row in islice(rows, most)]


def _why(row: Row) -> str:
    if row.state == "sent":
        return "It was on its way when the run ended, and may have been billed."
    failure = why_failed(row)
    return shorten(f"{failure.kind}: {sentence(failure)}", _ERROR_CHARS)


def file_of(record: RunRecord, result: RowsResult) -> RowsFile | None:
    """The file with every row, where there is one."""
    return RowsFile(path=result.file, rows=len(record.rows)) if result.file else None


def link_to(file: RowsFile | None) -> tuple[mcp_types.ResourceLink, ...]:
    """The same, as hosts follow it."""
    if file is None:
        return ()
    path = Path(file.path)
    told = "Every row as a line of JSON, in order"
    return (
        mcp_types.ResourceLink(
            type="resource_link", name=path.name, uri=path.as_uri(), mime_type="application/jsonl", description=told
        ),
    )


def count_of(brought: Brought) -> RowsCount:
    """How many rows have come how far."""
    failures = sum(row.state == "failed" for row in brought.rows)
    answered, failed = brought.together.counted or (len(brought.answered), failures)
    return RowsCount(total=brought.together.total, answered=answered, failed=failed)


def counted(brought: Brought) -> str:
    """How many rows were answered."""
    done, total = len(brought.answered), brought.together.total
    if done < total:
        return f"{done:,}/{total:,} rows"
    return f"{done:,} rows" if done > 1 else "1 row"


def beside(failed: Sequence[FailedRow], file: RowsFile | None) -> Iterator[str]:
    """What a text tells after the rows that were answered."""
    yield from (f"Row {row.row} failed: {row.error}" for row in failed)
    if file is not None:
        yield f"All rows: {file.path}"


def about_the_rows(record: RunRecord, brought: Brought, shown: Shown) -> Iterator[str]:
    """What to know about them."""
    result = brought.together
    yield from about_the_run(record, shown)
    if result.carried_from and result.carried:
        yield f"{result.carried:,} rows were taken over from {result.carried_from} and cost nothing now."
    if result.stopped:
        yield f"It ended early: {result.stopped}."
    if record.finished and len(brought.answered) < result.total:
        yield "The same call goes on from here: only rows that were not answered are asked, and paid for."
    if result.problem:
        yield result.problem
