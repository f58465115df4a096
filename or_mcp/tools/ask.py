"""`ask`: one model."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import anyio.to_thread
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from or_mcp.attachments.attach import COUNT_LIMIT, Attachment, HoldsSecrets, attach, digest_of
from or_mcp.attachments.urls import is_url
from or_mcp.calls.arguments import Amount, Arguments, Question, Text
from or_mcp.calls.call import Call
from or_mcp.calls.choosing import choose
from or_mcp.calls.keepsake import Keepsake, Shown
from or_mcp.calls.paid import place
from or_mcp.calls.reply import Reply
from or_mcp.calls.tool import Tool
from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.fitness import check_keeps
from or_mcp.conversation.adapt import adapt, readable
from or_mcp.conversation.fit import check_fits, needs_of
from or_mcp.conversation.functions import MOST_FUNCTIONS
from or_mcp.conversation.structure import check_schema
from or_mcp.conversation.thread import Message, Thread
from or_mcp.conversation.turn import ToolOutput, Turn, say
from or_mcp.conversation.work import Exchange, go_on, result_of
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.tools.answers.ask import AskAnswer, full_text, show

DESCRIPTION = """
Ask one model of OpenRouter's hundreds: a second opinion, a job for a cheaper, faster or more specialised model, images,
PDFs or audio, answers as JSON of a given shape, function calls.

`continue_run` goes on from any earlier ask or fuse, with whichever model. For a question worth several models use
`fuse`; to find a model use `list_models`.

Costs money, usually under a cent to a few cents; checked against the ceilings before anything is sent. If it takes
longer than this host waits, the answer is `running` with a run_id: call `run` with it.
"""

Effort = Literal["max", "xhigh", "high", "medium", "low", "minimal", "none"]


class ToolOutputArgument(Arguments):
    """What a called tool came back with."""

    call_id: str
    output: Text


class AskArguments(Arguments):
    """What `ask` takes."""

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
    tools: tuple[dict[str, Any], ...] = Field(
        (), max_length=MOST_FUNCTIONS, description="Functions: {name, description, parameters}."
    )
    tool_choice: str = Field("", description="auto, none, required or a function's name.")
    tool_outputs: tuple[ToolOutputArgument, ...] = Field(
        (), max_length=MOST_FUNCTIONS, description="Results of tool_calls, with continue_run."
    )
    instructions: Text = Field("", description="System prompt.")
    prompt: Question = Field("", description="The question.")


async def ask(arguments: AskArguments, call: Call) -> Reply:
    """Put the turn together, check, carry out, show."""
    call.require_key()
    if arguments.json_schema is not None:
        await anyio.to_thread.run_sync(check_schema, arguments.json_schema, abandon_on_cancel=True)
    turn = _turn(arguments, call.parts.default_model)
    before = await _thread(arguments, call)
    choice = await choose(call, turn.models)
    snapshot = choice.snapshot
    check_keeps(snapshot, turn.models)
    turn, adapted = adapt(turn, snapshot)
    parts, digest, again = await _attached(arguments, turn.model, before, call, snapshot)
    thread = say(before, turn, arguments.prompt, parts)
    sent, left_out = readable(thread, turn, snapshot)
    needs = await anyio.to_thread.run_sync(needs_of, sent, turn)
    check_fits(snapshot, turn, needs, call.parts.policy)
    return await place(
        call,
        "ask",
        arguments,
        Exchange(sent, turn, needs.sizes, snapshot, call.parts.provider, call.upstream).offer,
        models=turn.models,
        prompt=arguments.prompt,
        context=await anyio.to_thread.run_sync(thread.kept),
        attached=digest,
        shown=Shown(notes=(*adapted, *again, *left_out, *choice.notes)),
        wait_seconds=arguments.wait_seconds,
    )


def _turn(arguments: AskArguments, default_model: str) -> Turn:
    return Turn(
        model=arguments.model or default_model,
        instructions=arguments.instructions,
        fallback_models=arguments.fallback_models,
        reasoning_effort=arguments.reasoning_effort or "",
        max_output_tokens=arguments.max_output_tokens,
        temperature=arguments.temperature,
        web=arguments.web,
        json_schema=arguments.json_schema,
        tools=arguments.tools,
        tool_choice=arguments.tool_choice,
        tool_outputs=tuple(ToolOutput(each.call_id, each.output) for each in arguments.tool_outputs),
    )


async def _thread(arguments: AskArguments, call: Call) -> Thread:
    """The conversation so far, from the run it goes on from."""
    if not arguments.continue_run:
        return Thread.new()
    record = await call.runs.find(arguments.continue_run)
    if not record.finished:
        raise InvalidRequest(f"continue_run {record.run_id} is still running; wait for it with run")
    tool = record.request.tool
    keepsake = call.parts.keepsakes.get(tool)
    if keepsake is None or keepsake.thread is None:
        raise InvalidRequest(f"continue_run takes a run of ask or fuse; {record.run_id} is one of {tool}")
    context = await call.runs.context(record)
    return await anyio.to_thread.run_sync(keepsake.thread, record, context)


async def _attached(
    arguments: AskArguments, model_id: str, thread: Thread, call: Call, snapshot: Snapshot
) -> tuple[list[Message], str, list[str]]:
    """What is attached, and its digest; what the conversation holds already is not sent once more."""
    if not arguments.attachments:
        return [], "", []
    model = snapshot.find(model_id)
    accepts = frozenset(model.architecture.input_modalities) if model and model.architecture else None
    found = await _read(arguments.attachments, call, accepts, model_id)
    held = thread.parts()
    again = [each.name for each in found if each.part() in held]
    parts = [part for each in found if (part := each.part()) not in held]
    if again:
        names = ", ".join(again)
        parts.append({"type": "text", "text": f"(Attached again, and to be found further up: {names})"})
    notes = [f"Already in this conversation, and not sent again: {name}." for name in again]
    return parts, digest_of(found), notes


async def _read(
    references: tuple[str, ...], call: Call, accepts: frozenset[str] | None, model: str
) -> tuple[Attachment, ...]:
    """Everything attached; of a file with secrets, the user is asked where the host can ask."""
    sandbox = call.parts.sandbox if all(map(is_url, references)) else await call.sandbox()
    agreed: frozenset[str] = frozenset()
    while True:
        try:
            return await attach(references, sandbox, modalities=accepts, allow_secrets=agreed)
        except HoldsSecrets as trouble:
            if call.ask is None or not await call.ask(f"{trouble.found}. Send it to {model} all the same?"):
                raise
            agreed |= {trouble.reference}


TOOL = Tool(
    name="ask",
    title="Ask one model",
    kind="spend",
    description=DESCRIPTION,
    arguments=AskArguments,
    answer=AskAnswer,
    handle=ask,
    keepsake=Keepsake(read=result_of, show=show, words=full_text, thread=go_on),
)
