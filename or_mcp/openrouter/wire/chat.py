"""`/chat/completions`: the request, and its chunks as they are streamed."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from or_mcp.openrouter.wire.errors import ErrorBody
from or_mcp.openrouter.wire.lenient import Lenient, Reply, Request, Rows
from or_mcp.openrouter.wire.models import Price
from or_mcp.openrouter.wire.responses import Annotation, ServerToolUse
from or_mcp.openrouter.wire.routing import Provider, Reasoning, StopWhen


class ChatRequest(Request):
    """What is sent to `/chat/completions`. Messages and tools are kept as JSON: they are replayed verbatim."""

    model: str
    messages: tuple[dict[str, Any], ...]
    models: tuple[str, ...] | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    reasoning: Reasoning | None = None
    response_format: dict[str, Any] | None = None
    tools: tuple[dict[str, Any], ...] | None = None
    tool_choice: str | dict[str, Any] | None = None
    stop_server_tools_when: tuple[StopWhen, ...] | None = None
    provider: Provider | None = None
    plugins: tuple[dict[str, str], ...] | None = None
    session_id: str | None = None
    stream: bool = True


class FunctionCall(Reply):
    """The function a model wants called; arguments arrive in fragments."""

    name: Lenient[str] = None
    arguments: Lenient[str] = None


class ToolCall(Reply):
    """A (fragment of a) tool call, keyed by its index."""

    index: Lenient[int] = None
    id: Lenient[str] = None
    function: Lenient[FunctionCall] = None


class ChatAnnotation(Reply):
    """A citation, or what was read from a document; nested under its type."""

    type: Lenient[str] = None
    url_citation: Lenient[Annotation] = None
    file: Lenient[dict[str, JsonValue]] = None


class ChatMessage(Reply):
    """A message, or a delta of one."""

    content: Lenient[str | tuple[JsonValue, ...]] = None
    refusal: Lenient[str] = None
    reasoning: Lenient[str] = None
    reasoning_details: Rows[JsonValue] = ()
    tool_calls: Rows[ToolCall] = ()
    annotations: Rows[ChatAnnotation] = ()


class Choice(Reply):
    """One answer, or a piece of it."""

    finish_reason: Lenient[str] = None
    native_finish_reason: Lenient[str] = None
    delta: Lenient[ChatMessage] = None
    message: Lenient[ChatMessage] = None
    error: Lenient[ErrorBody] = None


class CompletionDetails(Reply):
    """What the completion tokens were spent on."""

    reasoning_tokens: Lenient[int] = None


class PromptDetails(Reply):
    """What the prompt tokens came from."""

    cached_tokens: Lenient[int] = None


class ChatUsage(Reply):
    """Tokens, and what they cost."""

    prompt_tokens: Lenient[int] = None
    completion_tokens: Lenient[int] = None
    total_tokens: Lenient[int] = None
    prompt_tokens_details: Lenient[PromptDetails] = None
    completion_tokens_details: Lenient[CompletionDetails] = None
    cost: Price = None
    server_tool_use_details: Lenient[ServerToolUse] = None


class ChatChunk(Reply):
    """One chunk of a stream, or the whole reply when it came at once."""

    id: Lenient[str] = None
    model: Lenient[str] = None
    provider: Lenient[str] = None
    choices: Rows[Choice] = ()
    usage: Lenient[ChatUsage] = None
    error: Lenient[ErrorBody] = None
