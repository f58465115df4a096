"""`ask`: one model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from pydantic.json_schema import SkipJsonSchema

from or_mcp.attachments.attach import attach
from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.prices import Estimate, count_tokens, estimate_completion, output_ceiling
from or_mcp.conversation.state import AnswerState, Said
from or_mcp.conversation.structure import check_schema, read_json
from or_mcp.conversation.turn import Message, Thread, ToolOutput, Turn, request_for, say
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.openrouter.wire.chat import ChatRequest
from or_mcp.openrouter.wire.models import Model
from or_mcp.runs.live import Kept, LiveRun, Progress
from or_mcp.runs.record import RunRecord
from or_mcp.tools.arguments import Arguments
from or_mcp.tools.ask_answer import AskAnswer, show
from or_mcp.tools.call import Call, decimal_or_none
from or_mcp.tools.choosing import check_models, retiring
from or_mcp.tools.keepsake import Keepsake, Shown
from or_mcp.tools.paid import Order, place
from or_mcp.tools.reply import Reply
from or_mcp.tools.tool import Tool

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
    output: str


class AskArguments(Arguments):
    """What `ask` takes."""

    model: str = Field("", description="e.g. ~openai/gpt-latest.")
    fallback_models: tuple[str, ...] = Field((), max_length=8, description="Tried in order if the model fails.")
    continue_run: str = Field("", description="A run_id to go on from.")
    reasoning_effort: Effort | SkipJsonSchema[None] = None
    max_output_tokens: Annotated[int, Field(ge=1)] | SkipJsonSchema[None] = None
    temperature: Annotated[float, Field(ge=0, le=2)] | SkipJsonSchema[None] = None
    web: bool = Field(default=False, description="Let it search the web. Default false.")
    max_cost_usd: Annotated[float, Field(gt=0)] | SkipJsonSchema[None] = None
    wait_seconds: Annotated[float, Field(ge=0, le=3600)] | SkipJsonSchema[None] = None
    attachments: tuple[str, ...] = Field((), description="File paths or https URLs: images, PDF, audio, text.")
    json_schema: dict[str, Any] | SkipJsonSchema[None] = Field(None, description="The answer's shape; see `json`.")
    tools: tuple[dict[str, Any], ...] = Field((), description="Functions: {name, description, parameters}.")
    tool_choice: str = Field("", description="auto, none, required or a function's name.")
    tool_outputs: tuple[ToolOutputArgument, ...] = Field((), description="Results of tool_calls, with continue_run.")
    instructions: str = Field("", description="System prompt.")
    prompt: str = Field("", description="The question.")


async def ask(arguments: AskArguments, call: Call) -> Reply:
    """Put the turn together, check, carry out, show."""
    call.require_key()
    turn = _turn(arguments, call.parts.default_model)
    thread = await _thread(arguments, call)
    snapshot = await check_models(call, (turn.model, *turn.fallback_models))
    model = snapshot.find(turn.model) if snapshot else None
    turn, notes = await _prepared(turn, arguments, call, model)
    thread = say(thread, turn)
    estimate, turn = _bounded(turn, thread, snapshot, call)
    request = request_for(thread, turn, call.parts.provider)
    order = Order(
        tool="ask",
        arguments=arguments,
        models=(turn.model, *turn.fallback_models),
        prompt=arguments.prompt,
        estimate=estimate,
        make=lambda: Asking(request, turn, call.upstream),
        ceiling_usd=turn.max_cost_usd,
        wait_seconds=arguments.wait_seconds,
        context=thread.dump(),
        notes=(*notes, *retiring(snapshot, (turn.model, *turn.fallback_models))),
    )
    return await place(call, order, KEEPSAKE, Shown())


def _turn(arguments: AskArguments, default_model: str) -> Turn:
    if arguments.json_schema is not None:
        check_schema(arguments.json_schema)
    return Turn(
        model=arguments.model or default_model,
        prompt=arguments.prompt,
        instructions=arguments.instructions,
        fallback_models=arguments.fallback_models,
        reasoning_effort=arguments.reasoning_effort or "",
        max_output_tokens=arguments.max_output_tokens,
        temperature=arguments.temperature,
        web=arguments.web,
        max_cost_usd=decimal_or_none(arguments.max_cost_usd),
        json_schema=arguments.json_schema,
        tools=arguments.tools,
        tool_choice=arguments.tool_choice,
        tool_outputs=tuple(ToolOutput(each.call_id, each.output) for each in arguments.tool_outputs),
    )


async def _thread(arguments: AskArguments, call: Call) -> Thread:
    """The conversation so far, from the run it goes on from."""
    if not arguments.continue_run:
        return Thread.new()
    record = await call.parts.runner.find(arguments.continue_run, call.caller.id)
    if not record.finished:
        raise InvalidRequest(f"continue_run {record.run_id} is still running; wait for it with run")
    keepsake = call.parts.keepsakes.get(record.tool)
    if keepsake is None or keepsake.thread is None:
        raise InvalidRequest(f"continue_run takes a run of ask or fuse; {record.run_id} is one of {record.tool}")
    return keepsake.thread(record, await call.parts.runner.context(record.run_id))


async def _prepared(turn: Turn, arguments: AskArguments, call: Call, model: Model | None) -> tuple[Turn, list[str]]:
    """The turn with its attachments, and without what the model does not have."""
    notes: list[str] = []
    if turn.reasoning_effort and model is not None and "reasoning" not in model.supported_parameters:
        notes.append(f"{model.id} does not reason: reasoning_effort was left out.")
        turn = replace(turn, reasoning_effort="")
    if arguments.attachments:
        accepts = frozenset(model.architecture.input_modalities) if model and model.architecture else None
        attached = await attach(arguments.attachments, call.parts.sandbox, modalities=accepts)
        turn = replace(turn, attached=tuple(each.part() for each in attached))
    return turn, notes


def _bounded(turn: Turn, thread: Thread, snapshot: Snapshot | None, call: Call) -> tuple[Estimate, Turn]:
    """The estimate, and the turn with an output limit where only that keeps it under its ceiling."""
    if snapshot is None:
        return Estimate(None, None, ("the catalogue with its prices could not be read",)), turn
    prompt_tokens = sum(count_tokens(_words(message)) for message in thread.messages)
    ceiling = turn.max_cost_usd or call.parts.runner.limits.per_call_usd or None
    estimate = estimate_completion(
        snapshot,
        turn.model,
        prompt_tokens=prompt_tokens,
        max_output_tokens=turn.max_output_tokens,
        web=turn.web,
    )
    if (
        ceiling is not None
        and turn.max_output_tokens is None
        and estimate.high is not None
        and estimate.high <= ceiling
    ):
        most = output_ceiling(
            snapshot, turn.model, prompt_tokens=prompt_tokens, ceiling=ceiling, fallbacks=turn.fallback_models
        )
        model = snapshot.find(turn.model)
        longest = model.top_provider.max_completion_tokens if model and model.top_provider else None
        if most is not None and (longest is None or most < longest):
            turn = replace(turn, max_output_tokens=most)
    return estimate, turn


def _words(message: Message) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content)


@dataclass(frozen=True, slots=True)
class AskResult:
    """What is kept of an ask."""

    said: Said = field(default_factory=Said)
    json: Any = None
    json_problem: str | None = None


_RESULT: TypeAdapter[AskResult] = TypeAdapter(AskResult)


class Asking:
    """A turn being carried out."""

    def __init__(self, request: ChatRequest, turn: Turn, upstream: OpenRouter) -> None:
        self._request = request
        self._schema = turn.json_schema
        self._upstream = upstream
        self._state = AnswerState()

    def kept(self) -> Kept:
        """Everything that has arrived."""
        said = self._state.said()
        result = AskResult(said)
        if self._schema is not None and said.finish_reason and not said.tool_calls:
            result = AskResult(said, *read_json(said.text, self._schema))
        return Kept(_RESULT.dump_json(result).decode(), said.cost_usd, said.generation_id)

    def progress(self) -> Progress:
        """Whether it thinks or writes, and how much."""
        state = self._state
        name = state.model or self._request.model
        if state.text:
            return Progress(2, 3, f"{name} writing {len(state.text):,} chars")
        return Progress(1, 3, f"{name} thinking {len(state.reasoning):,} chars" if state.reasoning else f"asked {name}")

    async def carry_out(self, run: LiveRun) -> None:
        """Read the stream to its end."""
        async with self._upstream.chat(self._request) as stream:
            self._state.generation_id = stream.generation_id
            run.noted("accepted", self._request.model, stream.generation_id or "")
            async for chunk in stream:
                self._state.apply(chunk)
                await run.grew()
        self._state.check_ended()


def _result(record: RunRecord) -> AskResult:
    return _RESULT.validate_json(record.result) if record.result else AskResult()


def _show(record: RunRecord, shown: Shown) -> Reply:
    result = _result(record)
    return show(record, result.said, result.json, result.json_problem, shown)


def _text(record: RunRecord) -> str:
    return _result(record).said.text


def _go_on(record: RunRecord, context: str | None) -> Thread:
    thread = Thread.load(context) if context else Thread.new()
    said = _result(record).said
    if not said.text and not said.tool_calls:
        return thread
    return replace(thread, messages=(*thread.messages, said.message()))


KEEPSAKE = Keepsake(show=_show, result=_text, thread=_go_on)

TOOL = Tool(
    name="ask",
    title="Ask one model",
    kind="spend",
    description=DESCRIPTION,
    arguments=AskArguments,
    answer=AskAnswer,
    handle=ask,
    keepsake=KEEPSAKE,
)
