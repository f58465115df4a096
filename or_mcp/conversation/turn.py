"""One turn: choices and what was said before become a checked request."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

from pydantic import TypeAdapter

from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.openrouter.wire.chat import ChatRequest
from or_mcp.openrouter.wire.routing import Provider, Reasoning, StopWhen

Message = dict[str, Any]
WEB_SEARCH: Message = {"type": "openrouter:web_search"}


@dataclass(frozen=True, slots=True)
class Thread:
    """What was said so far, as the API takes it. Upstream remembers nothing."""

    session_id: str
    messages: tuple[Message, ...] = ()

    def dump(self) -> str:
        """The thread as it is kept."""
        return _THREAD.dump_json(self).decode()

    @classmethod
    def load(cls, kept: str) -> Thread:
        """The thread that was kept."""
        return _THREAD.validate_json(kept)

    @classmethod
    def new(cls) -> Thread:
        """A conversation that begins."""
        return cls(f"or-mcp-{secrets.token_hex(12)}")

    def pending_calls(self) -> dict[str, str]:
        """Tool calls of the last message that still need an output: id and name."""
        if not self.messages:
            return {}
        calls = cast("list[Message]", self.messages[-1].get("tool_calls") or [])
        return {str(call["id"]): str(call["function"]["name"]) for call in calls}


_THREAD: TypeAdapter[Thread] = TypeAdapter(Thread)


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a tool that the model called came back with."""

    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What the caller chose for one turn."""

    model: str
    prompt: str = ""
    instructions: str = ""
    fallback_models: tuple[str, ...] = ()
    reasoning_effort: str = ""
    max_output_tokens: int | None = None
    temperature: float | None = None
    web: bool = False
    max_cost_usd: Decimal | None = None
    json_schema: Mapping[str, Any] | None = None
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str = ""
    tool_outputs: tuple[ToolOutput, ...] = ()
    attached: tuple[Message, ...] = field(default=())


def say(thread: Thread, turn: Turn) -> Thread:
    """The thread with the caller's side of this turn.

    Raises:
        InvalidRequest: A tool's output is missing or nobody asked for it, or nothing was said at all.
    """
    messages = list(thread.messages)
    if turn.instructions:
        messages = [message for message in messages if message["role"] != "system"]
        messages.insert(0, {"role": "system", "content": turn.instructions})
    messages += _outputs(thread, turn.tool_outputs)
    if turn.prompt or turn.attached:
        messages.append({"role": "user", "content": _content(turn)})
    elif not turn.tool_outputs:
        raise InvalidRequest("prompt is missing; it takes the question")
    return replace(thread, messages=tuple(messages))


def request_for(thread: Thread, turn: Turn, provider: Provider | None) -> ChatRequest:
    """The one request that carries the turn.

    Raises:
        InvalidRequest: The choices contradict each other.
    """
    tools = tuple(_function(tool) for tool in turn.tools)
    strict = bool(tools) or turn.json_schema is not None
    if strict:
        # Otherwise a provider that lacks a parameter silently drops it.
        provider = (provider or Provider()).model_copy(update={"require_parameters": True})
    return ChatRequest(
        model=turn.model,
        models=turn.fallback_models or None,
        messages=thread.messages,
        max_completion_tokens=turn.max_output_tokens,
        temperature=turn.temperature,
        reasoning=Reasoning(effort=turn.reasoning_effort) if turn.reasoning_effort else None,
        response_format=_format(turn.json_schema),
        tools=(*tools, *((WEB_SEARCH,) if turn.web else ())) or None,
        tool_choice=_choice(turn, [tool["function"]["name"] for tool in tools]),
        stop_server_tools_when=_brake(turn),
        provider=provider,
        session_id=thread.session_id,
    )


def _outputs(thread: Thread, outputs: Sequence[ToolOutput]) -> list[Message]:
    pending = thread.pending_calls()
    given = {output.call_id for output in outputs}
    if unknown := sorted(given - pending.keys()):
        raise InvalidRequest(
            f"tool_outputs answers {', '.join(unknown)}, but "
            + (f"the model called {', '.join(pending)}" if pending else "no tool call is waiting in that run")
        )
    if missing := sorted(pending.keys() - given):
        waiting = ", ".join(f"{call_id} ({pending[call_id]})" for call_id in missing)
        raise InvalidRequest(f"tool_outputs lacks an output for {waiting}")
    return [{"role": "tool", "tool_call_id": each.call_id, "content": each.output} for each in outputs]


def _content(turn: Turn) -> str | list[Message]:
    if not turn.attached:
        return turn.prompt
    text: list[Message] = [{"type": "text", "text": turn.prompt}] if turn.prompt else []
    return [*text, *turn.attached]


def _function(tool: Mapping[str, Any]) -> Message:
    """A function definition, flat or in the API's envelope."""
    function: Any = tool.get("function", {name: value for name, value in tool.items() if name != "type"})
    name = cast("Message", function).get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or not name:
        raise InvalidRequest("Each of tools takes {name, description, parameters}; one has no name")
    return {"type": "function", "function": function}


def _choice(turn: Turn, names: Sequence[str]) -> str | Message | None:
    choice = turn.tool_choice
    if not choice:
        return None
    if choice != "none" and not names:
        raise InvalidRequest(f"tool_choice is {choice!r}, but tools is empty")
    if choice in ("auto", "none", "required"):
        return choice
    if choice not in names:
        raise InvalidRequest(
            f"tool_choice is {choice!r}; it takes auto, none, required or one of the tools: {', '.join(names)}"
        )
    return {"type": "function", "function": {"name": choice}}


def _format(schema: Mapping[str, Any] | None) -> Message | None:
    if schema is None:
        return None
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)}}


def _brake(turn: Turn) -> tuple[StopWhen, ...] | None:
    if not turn.web or turn.max_cost_usd is None:
        return None
    return (StopWhen(type="max_cost", max_cost_in_dollars=float(turn.max_cost_usd)),)
