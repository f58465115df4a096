"""One turn: choices and what was said before become a checked request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from or_mcp.catalogue.rates import Cache
from or_mcp.catalogue.web import NO_WEB, WebUse
from or_mcp.conversation.functions import read_choice, read_functions
from or_mcp.conversation.structure import response_format
from or_mcp.conversation.thread import Message, Thread
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.openrouter.wire.chat import ChatRequest
from or_mcp.openrouter.wire.routing import MaxPrice, Provider, Reasoning, StopWhen

_CACHED = {"type": "ephemeral"}


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a tool that the model called came back with."""

    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What the caller chose for one turn."""

    model: str
    instructions: str = ""
    fallback_models: tuple[str, ...] = ()
    reasoning_effort: str = ""
    max_output_tokens: int | None = None
    temperature: float | None = None
    web: bool = False
    max_searches: int | None = None
    web_only: tuple[str, ...] = ()
    web_never: tuple[str, ...] = ()
    service_tier: str = ""
    # How long its maker is asked to keep what is sent, which the caller does not choose.
    cache: Cache = ""
    json_schema: Mapping[str, Any] | None = None
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str = ""
    tool_outputs: tuple[ToolOutput, ...] = ()
    modalities: tuple[str, ...] = ()
    voice: str = ""

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that may answer, in the order in which they are tried."""
        return (self.model, *self.fallback_models)


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits that are sent with a turn, so that it costs no more than what is set aside for it."""

    max_output_tokens: int | None = None
    web: WebUse = NO_WEB
    stop_usd: Decimal | None = None
    max_price: MaxPrice | None = None


def say(thread: Thread, turn: Turn, prompt: str = "", attached: Sequence[Message] = ()) -> Thread:
    """The thread with the caller's side of this turn.

    Raises:
        InvalidRequest: A tool's output is missing, given twice, or nobody asked for it; or nothing was said at all.
    """
    messages = list(thread.messages)
    if turn.instructions:
        messages = [message for message in messages if message["role"] != "system"]
        messages.insert(0, {"role": "system", "content": turn.instructions})
    messages += _outputs(thread, turn.tool_outputs)
    if prompt or attached:
        words: list[Message] = [{"type": "text", "text": prompt}] if prompt else []
        messages.append({"role": "user", "content": [*words, *attached] if attached else prompt})
    elif not turn.tool_outputs and not thread.is_unanswered:
        raise InvalidRequest("prompt is missing; it takes the question")
    return replace(thread, messages=tuple(messages), functions=read_functions(turn.tools) or thread.functions)


def request_for(thread: Thread, turn: Turn, caps: Caps, provider: Provider | None = None) -> ChatRequest:
    """The one request that carries the turn.

    Raises:
        InvalidRequest: The choices contradict each other.
    """
    functions = thread.functions
    if functions or turn.json_schema is not None:
        # Otherwise a provider that lacks a parameter silently drops it.
        provider = (provider or Provider()).model_copy(update={"require_parameters": True})
    if thread.sealed_by:
        provider = (provider or Provider()).model_copy(update={"order": (thread.sealed_by,)})
    if caps.max_price is not None:
        provider = provider or Provider()
        provider = provider.model_copy(update={"max_price": caps.max_price.and_no_more_than(provider.max_price)})
    return ChatRequest(
        model=turn.model,
        models=turn.fallback_models or None,
        messages=thread.as_sent(),
        max_completion_tokens=caps.max_output_tokens,
        temperature=turn.temperature,
        reasoning=Reasoning(effort=turn.reasoning_effort) if turn.reasoning_effort else None,
        response_format=response_format(turn.json_schema) if turn.json_schema is not None else None,
        tools=(*functions, *(tool.body() for tool in caps.web.tools())) or None,
        tool_choice=read_choice(turn.tool_choice, functions),
        stop_server_tools_when=_brakes(caps),
        provider=provider,
        session_id=thread.session_id,
        modalities=turn.modalities or None,
        audio={"voice": turn.voice, "format": "pcm16"} if turn.voice else None,
        service_tier=turn.service_tier or None,
        cache_control=_cached(turn.cache),
    )


def _outputs(thread: Thread, outputs: Sequence[ToolOutput]) -> list[Message]:
    pending = thread.pending_calls()
    given = Counter(output.call_id for output in outputs)
    if unknown := sorted(given - Counter(pending.keys())):
        twice = [call_id for call_id in unknown if call_id in pending]
        if twice:
            raise InvalidRequest(f"tool_outputs answers {', '.join(twice)} twice; it takes one output for each call")
        raise InvalidRequest(
            f"tool_outputs answers {', '.join(unknown)}, but "
            + (f"the model called {', '.join(pending)}" if pending else "no tool call is waiting in that run")
        )
    if missing := sorted(pending.keys() - given.keys()):
        waiting = ", ".join(f"{call_id} ({pending[call_id]})" for call_id in missing)
        raise InvalidRequest(f"tool_outputs lacks an output for {waiting}")
    return [{"role": "tool", "tool_call_id": each.call_id, "content": each.output} for each in outputs]


def _cached(cache: Cache) -> dict[str, str] | None:
    if not cache:
        return None
    return _CACHED | {"ttl": "1h"} if cache == "write_1h" else _CACHED


def _brakes(caps: Caps) -> tuple[StopWhen, ...] | None:
    # These conditions replace upstream's limit of 30 steps, so a limit of steps stands among them.
    steps = (StopWhen(type="step_count_is", step_count=caps.web.steps),) if caps.web.steps else ()
    if caps.stop_usd is None:
        return steps or None
    return (*steps, StopWhen(type="max_cost", max_cost_in_dollars=float(caps.stop_usd)))
