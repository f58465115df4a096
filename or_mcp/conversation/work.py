"""A turn as it is sent, while it is carried out, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import anyio
import anyio.to_thread
from pydantic import TypeAdapter

from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.conversation.adapt import names_of
from or_mcp.conversation.keeping import keep_pictures, keep_sound
from or_mcp.conversation.price import Price, bound
from or_mcp.conversation.state import AnswerState, Said
from or_mcp.conversation.structure import read_json
from or_mcp.conversation.thread import Thread
from or_mcp.conversation.turn import Turn, request_for
from or_mcp.conversation.unpriced import Sizes
from or_mcp.files.shelf import Shelf
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure
from or_mcp.openrouter.wire.chat import ChatRequest
from or_mcp.openrouter.wire.routing import Provider
from or_mcp.runs.budget import Room
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.pieces import Context
from or_mcp.runs.record import Progress, RunRecord

# The first answer is there: whoever waits for it should not wait much longer for its JSON.
_REPAIR_SECONDS = 120.0
# Mends JSON that is not quite JSON; upstream has it only for answers that come at once.
_HEALING = ({"id": "response-healing"},)


@dataclass(frozen=True, slots=True)
class AskResult:
    """What is kept of an ask.

    `answered_as` is which of the models asked for has answered, where that is known; `limited` is by what its length
    was, where the caller did not choose it. A model with tools took `steps`, and `used` them; `stopped` is why it was,
    if it wanted more, and `undone` what it still wanted.
    """

    said: Said = field(default_factory=Said)
    json: Any = None
    json_problem: str | None = None
    repair: str | None = None
    answered_as: str | None = None
    limited: str = ""
    steps: int = 0
    used: int = 0
    stopped: str = ""
    undone: tuple[str, ...] = ()

    @property
    def provider_cost_usd(self) -> Decimal | None:
        """What a provider bills by itself."""
        return self.said.provider_cost_usd


_RESULT: TypeAdapter[AskResult] = TypeAdapter(AskResult)


def write_result(result: AskResult) -> str:
    """A result as it is kept."""
    return _RESULT.dump_json(result).decode()


def result_of(record: RunRecord) -> AskResult:
    """What a run holds."""
    return _RESULT.validate_json(record.result) if record.result else AskResult()


def go_on(record: RunRecord, context: Context | None) -> Thread:
    """The conversation after a run; of an answer that did not end well, as far as it came."""
    thread = Thread.load(context) if context else Thread.new()
    if record.rows:
        # Only of a model that had tools, and the first call waits for imports.
        from or_mcp.conversation.trace import functions_of, messages_of

        messages = (*thread.messages, *messages_of(record.rows))
        return replace(thread, messages=messages, functions=functions_of(messages))
    message = result_of(record).said.message(whole=record.status == "completed")
    return replace(thread, messages=(*thread.messages, message)) if message else thread


@dataclass(frozen=True, slots=True)
class Exchange:
    """A turn that is to be sent, until it is known what room there is for it; the thread is as its models read it."""

    thread: Thread
    turn: Turn
    sizes: Sizes
    snapshot: Snapshot
    provider: Provider | None
    upstream: OpenRouter
    shelf: Shelf

    def offer(self, room: Room) -> Asking:
        """The turn with the limits that there is room for."""
        price = bound(self.turn, self.sizes, self.snapshot, room)
        request = request_for(self.thread, self.turn, price.caps, self.provider)
        names = names_of(self.turn, self.snapshot)
        return Asking(request, price, self.upstream, self.shelf, names=names, schema=self.turn.json_schema)


class Asking:
    """A turn being carried out: one request, and one more when the answer should be JSON and is not."""

    def __init__(
        self,
        request: ChatRequest,
        price: Price,
        upstream: OpenRouter,
        shelf: Shelf,
        *,
        names: Mapping[str, str],
        schema: Mapping[str, Any] | None,
    ) -> None:
        self.estimate = price.estimate
        self.limited = price.limited
        self._repairs = price.repairs
        self._request = request
        self._upstream = upstream
        self._shelf = shelf
        self._names = names
        self._schema = schema
        self._state = AnswerState()
        self._result: AskResult | None = None
        self._repairing = False

    def kept(self) -> Kept:
        """Everything that has arrived."""
        result = self._result or AskResult(self._state.said())
        said = result.said
        result = replace(result, answered_as=self._names.get((said.model or "").lower()), limited=self.limited)
        return Kept(write_result(result), said.cost_usd, said.generation_id, in_parts=self._repairing)

    def progress(self) -> Progress:
        """Whether it thinks or writes, and how much."""
        state = self._state
        name = state.model or self._request.model
        if self._repairing:
            return Progress(2, 3, f"{name} asked once more, for JSON of the given shape")
        if state.text:
            return Progress(2, 3, f"{name} writing {len(state.text):,} chars")
        return Progress(1, 3, f"{name} thinking {len(state.reasoning):,} chars" if state.reasoning else f"asked {name}")

    async def carry_out(self, run: LiveRun) -> None:
        """Read the stream to its end, and what it must be."""
        await hear(self._upstream, self._request, self._state, self._shelf, run)
        said = self._state.said()
        if self._schema is None or said.tool_calls:
            return
        self._result = await read_answer(said, self._schema)
        if self._result.json_problem and self._repairs and said.finish_reason == "stop":
            self._repairing = True
            await run.told("repair", said.model or "", self._result.json_problem)
            self._result = await self._repaired(self._result, self._schema, run)

    async def _repaired(self, first: AskResult, schema: Mapping[str, Any], run: LiveRun) -> AskResult:
        """The result of asking once more. Whatever goes wrong, the first answer stays."""
        problem = first.json_problem or ""
        state = AnswerState()
        trouble: str | None = None
        unbilled = False
        with anyio.move_on_after(_REPAIR_SECONDS) as limit:
            try:
                request = _repair_request(self._request, first.said, problem)
                await hear(self._upstream, request, state, self._shelf, run)
            except Failure as failure:
                trouble, unbilled = failure.message, not failure.may_be_billed
        if limit.cancelled_caught:
            trouble = f"nothing came within {_REPAIR_SECONDS:.0f} s"
        second = state.said()
        if unbilled:
            return replace(first, repair=f"A second request, to repair it, failed: {trouble}")
        said = _both(first.said, second)
        if trouble is not None:
            return replace(first, said=said, repair=f"A second request, to repair it, failed: {trouble}")
        again = await read_answer(second, schema)
        if again.json_problem is not None:
            words = f"A second request, to repair it, was answered no better ({again.json_problem})"
            return replace(first, said=said, repair=words)
        mended = replace(said, text=second.text)
        return AskResult(mended, again.json, repair=f"The first answer could not be used ({problem}); a second did")


async def hear(upstream: OpenRouter, request: ChatRequest, state: AnswerState, shelf: Shelf, run: LiveRun) -> None:
    """Send a request, and take in what is said until it ends.

    Raises:
        Failure: It ended otherwise than with an answer.
    """
    async with upstream.chat(request) as stream:
        state.generation_id = stream.generation_id
        run.noted("accepted", request.model, stream.generation_id or "")
        try:
            async for chunk in stream:
                state.apply(chunk)
                await keep_pictures(state, shelf)
                run.grew()
        finally:
            # However it ends, what was said so far is paid for.
            with anyio.CancelScope(shield=True):
                await keep_sound(state, shelf)
    state.check_ended()


async def read_answer(said: Said, schema: Mapping[str, Any]) -> AskResult:
    """An answer with its JSON, or why it has none."""
    return AskResult(said, *await anyio.to_thread.run_sync(read_json, said.text, schema, abandon_on_cancel=True))


def _repair_request(request: ChatRequest, said: Said, problem: str) -> ChatRequest:
    words = f"That cannot be used: {problem}. Answer again, with nothing but the JSON in the shape that was asked for."
    answer = {"role": "assistant", "content": said.text}
    functions = tuple(tool for tool in request.tools or () if tool["type"] == "function")
    return request.model_copy(
        update={
            "messages": (*request.messages, answer, {"role": "user", "content": words}),
            "tools": functions or None,
            "tool_choice": "none" if functions else None,
            "plugins": _HEALING,
            "stream": False,
        }
    )


def _both(first: Said, second: Said) -> Said:
    """The first answer with what both have cost. When that is not known, no generation's cost may pass for it."""
    if first.cost_usd is None or second.cost_usd is None:
        return replace(first, cost_usd=None, generation_id=None)
    billed = [said.provider_cost_usd for said in (first, second) if said.provider_cost_usd is not None]
    return replace(
        first, cost_usd=first.cost_usd + second.cost_usd, provider_cost_usd=sum(billed, Decimal(0)) if billed else None
    )
