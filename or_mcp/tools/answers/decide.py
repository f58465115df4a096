"""What `decide` answers, in both forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from or_mcp.calls.keepsake import Shown
from or_mcp.calls.quoting import quoted
from or_mcp.calls.reply import Answer, Maybe, Reply, Some
from or_mcp.decisions.answers import ROW, Decided
from or_mcp.openrouter.usage import Usage
from or_mcp.rows.result import Brought
from or_mcp.runs.record import RunRecord
from or_mcp.runs.rows import Row
from or_mcp.tools.answers.paid import PaidAnswer, by, fitted, how_it_stands, in_both_forms, paid
from or_mcp.tools.answers.rows import (
    FailedRow,
    RowsCount,
    RowsFile,
    about_the_rows,
    beside,
    count_of,
    counted,
    failed,
    file_of,
    link_to,
)


class DecideRow(Answer):
    """The answer to one question about one row."""

    row: int
    name: str
    value: Any
    confidence: Maybe[float] = None
    probabilities: Maybe[dict[str, float]] = None


class DecideAnswer(PaidAnswer):
    """The structured form."""

    answers: Some[list[DecideRow]]
    failed: Some[list[FailedRow]]
    rows: RowsCount
    file: Maybe[RowsFile] = None
    model: Maybe[str] = None
    usage: Maybe[Usage] = None


# How many rows are shown, tried in turn until both forms fit.
_SIZES = (1_000, 500, 250, 120, 60, 30, 15, 8, 4, 1)
_FAILED = 20
# Of the options, those that may matter.
_SHOWN_SHARES = 3


def show(record: RunRecord, brought: Brought, shown: Shown) -> Reply:
    """The answer, shortened until both forms fit."""
    count = len(brought.answered)
    return fitted(partial(_reply, record, brought, shown), [count, *(size for size in _SIZES if size < count)])


def _reply(record: RunRecord, brought: Brought, shown: Shown, most: int) -> Reply:
    rows, result = brought.answered, brought.together
    decided = [(row.n, ROW.validate_json(row.body).answers) for row in rows[:most]]
    file = file_of(record, result)
    answer = DecideAnswer(
        answers=[_row(n, each) for n, answers in decided for each in answers],
        failed=failed(record, _FAILED),
        rows=count_of(brought),
        file=file,
        model=result.model,
        usage=result.usage,
        **paid(record, brought, shown, [*about_the_rows(record, brought, shown), *_cut(record, rows, most)]),
    )
    return in_both_forms(_text(record, brought, answer, decided, shown), answer, shown, link_to(file))


def _row(n: int, each: Decided) -> DecideRow:
    return DecideRow(
        row=n, name=each.name, value=each.value, confidence=each.confidence, probabilities=each.probabilities
    )


def _cut(record: RunRecord, rows: Sequence[Row], most: int) -> Iterator[str]:
    if len(rows) > most:
        rest = f"run(run_id={record.run_id!r}, part='result')"
        yield f"{most:,} of {len(rows):,} answered rows are shown; all: {rest}."


def _text(
    record: RunRecord,
    brought: Brought,
    answer: DecideAnswer,
    decided: Sequence[tuple[int, Sequence[Decided]]],
    shown: Shown,
) -> Iterator[str]:
    alone = brought.together.total == 1
    yield from how_it_stands(record, by(f"Decided {counted(brought)}", answer.model), answer.error, shown)
    yield from (f"Note: {note}" for note in answer.notes)
    if decided:
        listed = "\n".join(_line(n, answers, alone=alone) for n, answers in decided)
        yield quoted(answer.run_id, "answers" if alone else "row: answers", listed)
    yield from beside(answer.failed, answer.file)


def _line(n: int, answers: Sequence[Decided], *, alone: bool) -> str:
    line = " · ".join(map(_told, answers))
    return line if alone else f"{n}: {line}"


def _told(each: Decided) -> str:
    value = {True: "yes", False: "no"}.get(each.value, each.value) if isinstance(each.value, bool) else each.value
    sure = f" ({each.confidence:.2f})" if each.confidence is not None else ""
    return f"{each.name}={value}{sure}{_shares(each)}"


def _shares(each: Decided) -> str:
    """What else it may be, of a choice that is not clear."""
    others = sorted((each.probabilities or {}).items(), key=lambda share: -share[1])[:_SHOWN_SHARES]
    if isinstance(each.value, bool) or len(others) < 2 or each.confidence is None or each.confidence >= 0.9:
        return ""
    return " [" + ", ".join(f"{name} {share:.2f}" for name, share in others) + "]"
