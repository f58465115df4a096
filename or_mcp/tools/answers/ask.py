"""What `ask` answers, in both forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from or_mcp.calls.keepsake import Shown
from or_mcp.calls.quoting import in_quotes, named, quoted
from or_mcp.calls.reply import Answer, Maybe, Reply, Some, is_none
from or_mcp.conversation.state import CalledTool, Citation, Said, Usage
from or_mcp.conversation.work import AskResult
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
from or_mcp.tools.answers.rows import FailedRow, RowsCount, RowsFile


class ToolCallRow(Answer):
    """A function the model wants called."""

    call_id: str
    name: str
    arguments: str


class RowResult(Answer):
    """The answer to one row."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)

    row: int
    text: str
    value: Annotated[Any, Field(alias="json", exclude_if=is_none)] = None


class AskAnswer(PaidAnswer):
    """The structured form."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)

    LAST = "elapsed_seconds rows results failed file notes"

    text: str
    files: Maybe[list[FileRow]] = None
    value: Annotated[Any, Field(alias="json", exclude_if=is_none)] = None
    tool_calls: Some[list[ToolCallRow]]
    citations: Some[list[Citation]]
    reasoning_summary: Maybe[str] = None
    model: Maybe[str] = None
    provider: Maybe[str] = None
    finish_reason: Maybe[str] = None
    service_tier: Maybe[str] = None
    usage: Maybe[Usage] = None
    rows: Maybe[RowsCount] = None
    results: Some[list[RowResult]] = Field(default_factory=list[RowResult])
    failed: Some[list[FailedRow]] = Field(default_factory=list[FailedRow])
    file: Maybe[RowsFile] = None


# Characters of the answer, tried in turn until both forms fit: JSON writes some characters as six.
_SIZES = (40_000, 28_000, 18_000, 10_000, 4000)


def show(record: RunRecord, result: AskResult, shown: Shown) -> Reply:
    """The answer, shortened until both forms fit, with how to get the rest."""
    return fitted(lambda room: _reply(record, result, shown, room, with_json=room > _SIZES[-1]), _SIZES)


def full_text(result: AskResult) -> str:
    """Everything the model wrote: its answer, then its tool calls."""
    said = result.said
    calls = (f"tool call {call.call_id}: {call.name}({call.arguments})" for call in said.tool_calls)
    return "\n\n".join(part for part in (said.text, *calls) if part)


def _reply(record: RunRecord, result: AskResult, shown: Shown, room: int, *, with_json: bool) -> Reply:
    said = result.said
    rows = file_rows(record.run_id, said.files, shown)
    answer = AskAnswer(
        text=_opening(said.text, room, record.run_id),
        files=rows or None,
        value=result.json if with_json else None,
        tool_calls=[_row(call, room // len(said.tool_calls), record.run_id) for call in said.tool_calls],
        citations=list(said.citations[:30]),
        reasoning_summary=said.reasoning_summary,
        model=said.model,
        provider=said.provider,
        finish_reason=said.finish_reason,
        service_tier=said.service_tier if said.service_tier not in (None, "default", "auto") else None,
        usage=said.usage,
        **paid(record, result, shown, _notes(record, result, shown, with_json=with_json)),
    )
    return in_both_forms(_text(record, answer, result, shown), answer, shown, file_links(rows), comes_back(record))


def _row(call: CalledTool, room: int, run_id: str) -> ToolCallRow:
    return ToolCallRow(call_id=call.call_id, name=call.name, arguments=_opening(call.arguments, room, run_id))


def _opening(text: str, room: int, run_id: str) -> str:
    """As much as there is room for, and where the rest begins: together they are the text, byte for byte."""
    if len(text) <= room:
        return text
    rest = f"run(run_id={run_id!r}, part='result', offset={room})"
    return f"{text[:room]}… [cut: {room:,} of {len(text):,} characters; the rest: {rest}]"


def _notes(record: RunRecord, result: AskResult, shown: Shown, *, with_json: bool) -> Iterator[str]:
    yield from about_the_run(record, shown)
    if record.status not in ("running", "completed") and not shown.replayed:
        yield f"ask with continue_run={record.run_id!r} goes on from here, with what had arrived."
    yield from _about_the_answer(record, result, with_json=with_json)
    yield from _about_the_route(record, result.said)


def _about_the_answer(record: RunRecord, result: AskResult, *, with_json: bool) -> Iterator[str]:
    said = result.said
    if said.finish_reason == "length":
        yield _cut_off(result)
    if len(said.whole_calls) < len(said.tool_calls):
        yield "A tool call was cut off in its arguments and cannot be answered: ask again with more max_output_tokens."
    if said.finish_reason == "content_filter":
        yield "The provider's filter stopped the answer; what had come by then is shown."
    if result.steps:
        events = f"run(run_id={record.run_id!r}, part='events')"
        yield f"{result.steps} steps, {result.used} calls of tools; {events} has all of them."
    if result.stopped:
        undone = f" Not carried out: {in_quotes('; '.join(result.undone))}." if result.undone else ""
        yield f"Ended {result.stopped}.{undone} continue_run={record.run_id!r} goes on."
    if result.json_problem is not None:
        yield f"No json: {result.json_problem}."
    if result.repair is not None:
        yield f"{result.repair}. Both are in the cost."
    if result.json is not None and not with_json:
        yield f"The JSON is too large to show here: run(run_id={record.run_id!r}, part='result') has its text."
    if result.answered_as is not None and record.request.models and result.answered_as != record.request.models[0]:
        yield f"{record.request.models[0]} failed; {result.answered_as} answered instead."


def _about_the_route(record: RunRecord, said: Said) -> Iterator[str]:
    """Who chose the model, what was searched, and as what it was served."""
    if said.routed is not None:
        yield f"{record.request.models[0]} chose {named(said.model or 'a model')}: {in_quotes(said.routed)}."
    if said.usage is not None and said.usage.web_searches:
        yield f"Searches: {said.usage.web_searches}."
    wanted = record.request.asked.get("service_tier")
    if wanted and record.finished:
        yield f"Asked for {wanted}, served as {named(said.service_tier or 'unknown')}."


def _cut_off(result: AskResult) -> str:
    """That an answer ended by its length, and by whose word."""
    if result.limited:
        return f"The answer is cut off: {result.limited}. continue_run brings more of it."
    return "The answer is cut off at its token limit; raise max_output_tokens, or continue_run for more."


def _came_of_it(answer: AskAnswer, result: AskResult) -> str:
    """Who answered, and how that ended."""
    match answer.finish_reason:
        case "length":
            ended = f"Cut off: {result.limited}" if result.limited else "Cut off at its token limit"
        case "content_filter":
            ended = "Cut off by the provider's filter"
        case _:
            ended = "Calls tools" if answer.tool_calls else "Ended before its answer" if result.stopped else "Answered"
    return by(ended, answer.model, answer.provider)


def _text(record: RunRecord, answer: AskAnswer, result: AskResult, shown: Shown) -> Iterator[str]:
    yield from how_it_stands(record, _came_of_it(answer, result), answer.error, shown)
    yield from file_lines(answer.files or ())
    yield from (f"Note: {note}" for note in answer.notes)
    if answer.tool_calls:
        yield f"Next: call ask with continue_run={answer.run_id!r} and tool_outputs for each call_id."
    for called in answer.tool_calls:
        yield quoted(answer.run_id, f"tool call {named(called.call_id)}", f"{called.name}({called.arguments})")
    if answer.text:
        yield quoted(answer.run_id, f"answer by {named(answer.model or 'the model')}", answer.text)
    if answer.citations:
        listed = "\n".join(f"- {citation.title} <{citation.url}>" for citation in answer.citations)
        yield quoted(answer.run_id, "sources, as cited", listed)
