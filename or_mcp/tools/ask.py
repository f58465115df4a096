"""`ask`: one model. A tool is one file, and this one has the most arguments that depend on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio.to_thread
from pydantic import Field, create_model
from pydantic.json_schema import SkipJsonSchema

from or_mcp.attachments.paths import COUNT_LIMIT
from or_mcp.calls.arguments import Amount, Arguments, Question, Text
from or_mcp.calls.call import Call
from or_mcp.calls.choosing import choose
from or_mcp.calls.keepsake import Keepsake, Means, Shown
from or_mcp.calls.many import (
    MOST_ROWS,
    as_a_batch,
    digest_of_rows,
    kept_short,
    one_by_one,
    place_rows,
    rows_given,
)
from or_mcp.calls.paid import place, question_of
from or_mcp.calls.reply import Reply
from or_mcp.calls.tool import AnyTool, Tool
from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.prices import Estimate
from or_mcp.conversation.adapt import adapt, readable
from or_mcp.conversation.caching import with_cache
from or_mcp.conversation.fit import check_fits, needs_of
from or_mcp.conversation.functions import MOST_FUNCTIONS
from or_mcp.conversation.structure import check_schema
from or_mcp.conversation.thread import Message, Thread
from or_mcp.conversation.turn import ToolOutput, Turn, say
from or_mcp.conversation.work import AskResult, Exchange, go_on, result_of
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.openrouter.wire.sessions import new_session
from or_mcp.rows.lines import folder_in
from or_mcp.rows.result import Brought, is_of_rows, words_of
from or_mcp.rows.result import result_of as rows_of
from or_mcp.runs.budget import Room
from or_mcp.runs.record import RunRecord
from or_mcp.tools.answers.ask import AskAnswer, full_text, show

if TYPE_CHECKING:
    from or_mcp.conversation.rows import Asking as RowsAsking
    from or_mcp.conversation.rows import Row, RowTurn
    from or_mcp.rows.batched import Batched

DESCRIPTION = """
Ask any one model of OpenRouter's hundreds.

A second opinion, a job for a cheaper, faster or more specialised model, images, PDFs or audio, answers as JSON of a
given shape, function calls.

`continue_run` goes on from any earlier ask or fuse, with whichever model. For a question worth several models use
`fuse`; to find a model use `list_models`.

Costs money, usually under a cent to a few cents; checked against the ceilings before anything is sent. If it takes
longer than this host waits, the answer is `running` with a run_id: call `run` with it.
"""

_NOT_WITH_A_BATCH = ("fallback_models", "service_tier")
_NOT_WITH_ROWS = ("continue_run", "tools", "tool_choice", "tool_outputs")
# Enough for a task of some files or pages; whoever wants more says so, or goes on with continue_run.
_USUAL_STEPS = 10
Tier = Literal["default", "flex"]
Effort = Literal["max", "xhigh", "high", "medium", "low", "minimal", "none"]


class ToolOutputArgument(Arguments):
    """What a called tool came back with."""

    call_id: str
    output: Text


class _Choices(Arguments):
    """What is short."""

    model: str = Field("", description="e.g. ~openai/gpt-latest.")
    fallback_models: tuple[str, ...] = Field((), max_length=8, description="Tried in order if the model fails.")
    continue_run: str = Field("", description="A run_id to go on from; instructions and tools stay.")
    reasoning_effort: Effort | SkipJsonSchema[None] = None
    max_output_tokens: Annotated[int, Field(ge=1)] | SkipJsonSchema[None] = None
    temperature: Annotated[float, Field(ge=0, le=2)] | SkipJsonSchema[None] = None
    web: bool = Field(default=False, description="Let it search the web. Default false.")
    max_cost_usd: Amount | SkipJsonSchema[None] = None
    wait_seconds: Annotated[float, Field(ge=0, le=3600)] | SkipJsonSchema[None] = None
    attachments: tuple[str, ...] = Field(
        (), max_length=COUNT_LIMIT, description="File paths or https URLs: images, PDF, audio, text."
    )
    json_schema: dict[str, Any] | SkipJsonSchema[None] = Field(None, description="The answer's shape; see `json`.")
    web_domains: tuple[str, ...] = Field((), max_length=50, description="Search only there; -domain: not there.")
    max_searches: Annotated[int, Field(ge=1, le=20)] | SkipJsonSchema[None] = None
    service_tier: Tier | SkipJsonSchema[None] = Field(None, description="flex: slower, half price where offered.")
    tools: tuple[dict[str, Any], ...] = Field(
        (), max_length=MOST_FUNCTIONS, description="Functions: {name, description, parameters}."
    )
    tool_choice: str = Field("", description="auto, none, required or a function's name.")
    tool_outputs: tuple[ToolOutputArgument, ...] = Field(
        (), max_length=MOST_FUNCTIONS, description="Results of tool_calls, with continue_run."
    )


class _Texts(Arguments):
    """What may be long."""

    rows: tuple[dict[str, Any], ...] = Field(
        (), max_length=MOST_ROWS, description="Ask the prompt of each row; {column} in it is filled in."
    )
    rows_file: str = Field("", description="The same from a JSONL file.")
    instructions: Text = Field("", description="System prompt.")
    prompt: Question = Field("", description="The question.")
    # For those who ask thousands of rows from a terminal: an agent has no use for an answer of tomorrow.
    batch: SkipJsonSchema[bool] = False


class AskArguments(_Texts, _Choices):
    """What `ask` takes."""


class _Servers(Arguments):
    """What a model with tools takes."""

    servers: tuple[str, ...] = Field((), max_length=20)
    max_steps: int = Field(_USUAL_STEPS, ge=1, le=50, description="With servers: how often the model may be asked.")


class AskWithServers(_Texts, _Servers, _Choices):
    """What `ask` takes where the operator has named servers."""


AnyAsk = AskArguments | AskWithServers


async def ask(arguments: AnyAsk, call: Call) -> Reply:
    """Put the turn together, check, carry out, show."""
    call.require_key()
    servers = _servers_of(arguments, call)
    if arguments.json_schema is not None:
        await anyio.to_thread.run_sync(check_schema, arguments.json_schema, abandon_on_cancel=True)
    turn = _turn(arguments, call.parts.default_model)
    rows = await rows_given(arguments.rows, arguments.rows_file, call)
    if rows:
        _check_rows_alone(arguments)
    elif arguments.batch:
        raise InvalidRequest("batch is for rows, and there are none; rows or rows_file takes them")
    before, pause, lost = await _thread(arguments, call)
    if before.servers and not turn.tools:
        # A conversation keeps its servers, as it keeps its tools; without them, nobody carries out what it calls.
        servers = servers or tuple(name for name in before.servers if name in call.parts.servers.known)
        turn = turn if servers else replace(turn, tool_choice="none")
    choice = await choose(call, turn.models)
    snapshot = choice.snapshot
    turn, adapted = adapt(turn, snapshot)
    parts, digest, again = await _attached(arguments, turn.model, before, call, snapshot)
    if rows:
        from or_mcp.conversation.rows import RowTurn

        notes = (*adapted, *again, *choice.notes)
        # Of many answers the words alone are kept.
        turn = replace(turn, modalities=("text",) if turn.modalities else (), voice="")
        return await _ask_rows(
            arguments, call, rows, RowTurn(turn, arguments.prompt, tuple(parts)), snapshot, digest, notes
        )
    thread = replace(say(before, turn, arguments.prompt, parts), servers=servers)
    sent, left_out = readable(thread, turn, snapshot)
    turn = with_cache(turn, sent, pause, snapshot)
    needs = await anyio.to_thread.run_sync(needs_of, sent, turn)
    if servers:
        needs = replace(needs, parameters=needs.parameters | {"tools"})
        from or_mcp.calls.with_servers import tell_what_was_lost

        await tell_what_was_lost(question_of(call, "ask", arguments, digest), call)
    check_fits(snapshot, turn, needs, call.parts.policy)
    max_steps = arguments.max_steps if isinstance(arguments, AskWithServers) else _USUAL_STEPS
    exchange = Exchange(sent, turn, needs.sizes, snapshot, call.parts.provider, call.upstream, call.parts.shelf)
    offer = exchange.offer
    if servers:
        from or_mcp.calls.with_servers import in_steps

        offer = in_steps(exchange, thread, servers, max_steps, call).offer
    return await place(
        call,
        "ask",
        arguments,
        offer,
        models=turn.models,
        prompt=arguments.prompt,
        context=await anyio.to_thread.run_sync(thread.kept),
        attached=digest,
        shown=Shown(notes=(*lost, *adapted, *again, *left_out, *choice.notes)),
        wait_seconds=arguments.wait_seconds,
    )


def _servers_of(arguments: AnyAsk, call: Call) -> tuple[str, ...]:
    if not isinstance(arguments, AskWithServers):
        return ()
    # Most calls have no servers, and the first one waits for its imports.
    from or_mcp.calls.with_servers import names_of

    return names_of(arguments, call)


def _check_rows_alone(arguments: AnyAsk) -> None:
    """Each row is one question and one answer.

    Raises:
        InvalidRequest: Something was given that makes more of it.
    """
    given = {name for name in _NOT_WITH_ROWS if getattr(arguments, name)}
    if given:
        raise InvalidRequest(f"rows are each asked once: {', '.join(sorted(given))} cannot go with them")
    given = {name for name in _NOT_WITH_A_BATCH if arguments.batch and getattr(arguments, name)}
    if given:
        raise InvalidRequest(
            f"a batch has one model and a price of its own: {', '.join(sorted(given))} cannot go along"
        )


async def _ask_rows(
    arguments: AnyAsk,
    call: Call,
    rows: tuple[Row, ...],
    question: RowTurn,
    snapshot: Snapshot,
    digest: str,
    notes: tuple[str, ...],
) -> Reply:
    """The same question about each row, as one run."""
    from or_mcp.conversation.rows import Asking as RowsAsking
    from or_mcp.conversation.rows import RowsPrice, turns_of
    from or_mcp.rows.batched import permitted

    turns = await anyio.to_thread.run_sync(turns_of, question, rows)
    price = await anyio.to_thread.run_sync(RowsPrice.of, turns, snapshot)
    check_fits(snapshot, question.turn, price.largest, call.parts.policy)
    upstream, session_id = call.upstream.at_first_try(), new_session()

    def planned(room: Room) -> tuple[RowsAsking, Sequence[Estimate]]:
        found, estimates = price.within(room)
        mosts = tuple(each.most for each in estimates)
        return RowsAsking(turns, upstream, call.parts.provider, found.caps, mosts, session_id), estimates

    provider = permitted(call.parts.provider) if arguments.batch else None
    batched = partial(as_a_batch, rows=len(rows), upstream=call.upstream, provider=provider)
    return await place_rows(
        call,
        "ask",
        kept_short(arguments, rows),
        planned,
        batched if arguments.batch else one_by_one,
        models=question.turn.models,
        prompt=arguments.prompt,
        attached=digest + digest_of_rows(rows),
        shown=Shown(notes=notes),
        wait_seconds=arguments.wait_seconds,
    )


def _domains(given: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where to search, or where not to: upstream takes one of the two.

    Raises:
        InvalidRequest: Both were given.
    """
    only = tuple(each for each in given if not each.startswith("-"))
    never = tuple(each[1:] for each in given if each.startswith("-"))
    if only and never:
        raise InvalidRequest("web_domains has some with a - and some without; it takes either, not both")
    return only, never


def _turn(arguments: AnyAsk, default_model: str) -> Turn:
    only, never = _domains(arguments.web_domains)
    return Turn(
        model=arguments.model or default_model,
        instructions=arguments.instructions,
        fallback_models=arguments.fallback_models,
        reasoning_effort=arguments.reasoning_effort or "",
        max_output_tokens=arguments.max_output_tokens,
        temperature=arguments.temperature,
        web=arguments.web or bool(arguments.web_domains or arguments.max_searches),
        max_searches=arguments.max_searches,
        web_only=only,
        web_never=never,
        service_tier=arguments.service_tier or "",
        json_schema=arguments.json_schema,
        tools=arguments.tools,
        tool_choice=arguments.tool_choice,
        tool_outputs=tuple(ToolOutput(each.call_id, each.output) for each in arguments.tool_outputs),
    )


async def _thread(arguments: AnyAsk, call: Call) -> tuple[Thread, timedelta, list[str]]:
    """The conversation so far, for how long it has rested since, and what is missing of it."""
    if not arguments.continue_run:
        return Thread.new(), timedelta(), []
    record = await call.runs.find(arguments.continue_run)
    if not record.finished:
        raise InvalidRequest(f"continue_run {record.run_id} is still running; wait for it with run")
    tool = record.request.tool
    keepsake = call.parts.keepsakes.get(tool)
    if keepsake is None or keepsake.thread is None:
        raise InvalidRequest(f"continue_run takes a run of ask or fuse; {record.run_id} is one of {tool}")
    if is_of_rows(record):
        raise InvalidRequest(f"continue_run takes a run with one answer; {record.run_id} is one of many rows")
    context = await call.runs.context(record)
    thread = await anyio.to_thread.run_sync(keepsake.thread, record, context)
    pictured = await anyio.to_thread.run_sync(thread.with_pictures, call.parts.shelf.data_url)
    gone = thread.pictures - pictured.pictures
    lost = [f"Left out, since not on this machine (any more): {gone} of the pictures."] if gone else []
    return pictured, datetime.now(UTC) - (record.ended or record.started), lost


async def _attached(
    arguments: AnyAsk, model_id: str, thread: Thread, call: Call, snapshot: Snapshot
) -> tuple[list[Message], str, list[str]]:
    """What is attached, and its digest; what the conversation holds already is not sent once more."""
    if not arguments.attachments:
        return [], "", []
    # Most calls attach nothing, and the first one waits for its imports.
    from or_mcp.attachments.attach import digest_of
    from or_mcp.calls.attaching import read_attachments

    model = snapshot.find(model_id)
    accepts = frozenset(model.architecture.input_modalities) if model and model.architecture else None
    found = await read_attachments(arguments.attachments, call, accepts, model_id)
    held = thread.parts()
    again = [each.name for each in found if each.part() in held]
    parts = [part for each in found if (part := each.part()) not in held]
    if again:
        names = ", ".join(again)
        parts.append({"type": "text", "text": f"(Attached again, and to be found further up: {names})"})
    notes = [f"Already in this conversation, and not sent again: {name}." for name in again]
    return parts, digest_of(found), notes


def _read(record: RunRecord) -> AskResult | Brought:
    return rows_of(record) if is_of_rows(record) else result_of(record)


def _trace(record: RunRecord) -> str:
    from or_mcp.conversation.trace import told

    return "" if is_of_rows(record) else "\n".join(told(record.rows))


def _show(record: RunRecord, result: AskResult | Brought, shown: Shown) -> Reply:
    if not isinstance(result, Brought):
        return show(record, result, shown)
    from or_mcp.tools.answers.ask_rows import show_rows

    return show_rows(record, result, shown)


@cache
def with_servers(names: tuple[str, ...]) -> AnyTool:
    """The tool where these MCP servers may be given to a model."""
    described = f"MCP servers whose tools the model may use: {', '.join(names)}."
    field = (tuple[str, ...], Field((), max_length=20, description=described))
    return replace(TOOL, arguments=create_model("AskWithServers", __base__=AskWithServers, servers=field))


def _resume(record: RunRecord, means: Means) -> Batched:
    from or_mcp.conversation.rows import read_answer
    from or_mcp.rows.batched import Batched

    read = partial(read_answer, schema=record.request.asked.get("json_schema"))
    return Batched.resumed(record, means.upstream, means.store, folder_in(means.data_dir), read)


TOOL = Tool(
    name="ask",
    title="Ask one model",
    kind="spend",
    description=DESCRIPTION,
    arguments=AskArguments,
    answer=AskAnswer,
    handle=ask,
    keepsake=Keepsake(
        read=_read,
        show=_show,
        words=lambda result: words_of(result) if isinstance(result, Brought) else full_text(result),
        thread=go_on,
        files=lambda result: () if isinstance(result, Brought) else result.said.files,
        trace=_trace,
        usage=lambda result: result.together.usage if isinstance(result, Brought) else result.said.usage,
        resume=_resume,
    ),
)
