"""What `ask` answers, in both forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from or_mcp.conversation.state import Citation, Said, Usage
from or_mcp.runs.record import RunRecord, Status
from or_mcp.tools.explain import explanation, failure_of
from or_mcp.tools.keepsake import Shown
from or_mcp.tools.quoting import quoted
from or_mcp.tools.reply import LIMIT, Answer, Maybe, Reply, cut, is_none, usd


class ToolCallRow(Answer):
    """A function the model wants called."""

    call_id: str
    name: str
    arguments: str


class AskAnswer(Answer):
    """The structured form."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)

    run_id: str
    tool: Maybe[str] = None
    status: Status
    text: str
    value: Annotated[Any, Field(alias="json", exclude_if=is_none)] = None
    tool_calls: list[ToolCallRow]
    citations: list[Citation]
    reasoning_summary: Maybe[str] = None
    model: Maybe[str] = None
    provider: Maybe[str] = None
    finish_reason: Maybe[str] = None
    cost_usd: float | None
    usage: Maybe[Usage] = None
    generation_id: Maybe[str] = None
    error: Maybe[str] = None
    replayed: bool
    elapsed_seconds: float
    notes: list[str]


_ROOMS = (40_000, 28_000, 18_000, 10_000, 4000)


def show(record: RunRecord, said: Said, value: Any, problem: str | None, shown: Shown) -> Reply:
    """The answer, shortened until both forms fit, with how to get the rest."""
    for room in _ROOMS[:-1]:
        reply = _reply(record, said, value, problem, shown, room)
        if len(reply.text) <= LIMIT and len(reply.structured.model_dump_json()) <= LIMIT:
            return reply
    return _reply(record, said, None, problem, shown, _ROOMS[-1])


def _reply(record: RunRecord, said: Said, value: Any, problem: str | None, shown: Shown, room: int) -> Reply:
    answer = AskAnswer(
        run_id=record.run_id,
        status=record.status,
        text=cut(said.text, room, f"the rest: run(run_id={record.run_id!r}, part='result', offset={room})"),
        value=value,
        tool_calls=[ToolCallRow(call_id=c.call_id, name=c.name, arguments=c.arguments) for c in said.tool_calls],
        citations=list(said.citations[:30]),
        reasoning_summary=said.reasoning_summary,
        model=said.model,
        provider=said.provider,
        finish_reason=said.finish_reason,
        cost_usd=usd(record.cost_usd),
        usage=said.usage,
        generation_id=record.generation_id,
        error=explanation(failure_of(record), record).split("\n", 1)[0] if record.failure else None,
        replayed=shown.replayed,
        elapsed_seconds=record.elapsed_seconds(),
        notes=[*_notes(record, said, problem, shown), *shown.notes],
    )
    return Reply("\n".join(_text(answer, shown)), answer)


def _notes(record: RunRecord, said: Said, problem: str | None, shown: Shown) -> Iterator[str]:
    if not record.finished:
        yield f"Still running: call run with run_id {record.run_id!r} and wait_seconds to get the answer."
    if shown.replayed and record.finished:
        yield f"Paid for at {record.started:%Y-%m-%d %H:%M} UTC and not received then; nothing was paid now."
    if said.finish_reason == "length":
        yield "The answer is cut off at its token limit; raise max_output_tokens, or continue_run for more."
    if problem is not None:
        yield f"No json: {problem}."
    if said.model and record.models and said.model != record.models[0] and said.model in record.models[1:]:
        yield f"{record.models[0]} failed; {said.model} answered instead."


def _text(answer: AskAnswer, shown: Shown) -> Iterator[str]:
    if answer.status == "running":
        yield f"Running: {answer.run_id} · {shown.progress or 'in another process'}"
    elif answer.status != "completed":
        yield f"{answer.status.capitalize()}: {answer.error or 'no reason recorded'}"
    if answer.text:
        yield quoted(answer.run_id, f"answer by {answer.model or 'the model'}", answer.text)
    for called in answer.tool_calls:
        yield quoted(answer.run_id, f"tool call {called.call_id}", f"{called.name}({called.arguments})")
    if answer.tool_calls:
        yield f"Next: call ask with continue_run={answer.run_id!r} and tool_outputs for each call_id."
    if answer.citations:
        listed = "\n".join(f"- {citation.title} <{citation.url}>" for citation in answer.citations)
        yield quoted(answer.run_id, "sources, as cited", listed)
    yield from (f"Note: {note}" for note in answer.notes)
    by = " · ".join(part for part in (answer.model, answer.provider, answer.finish_reason) if part)
    yield f"Run: {answer.run_id} · {by or answer.status} · {answer.elapsed_seconds} s"
    if shown.cost_line:
        yield shown.cost_line
