"""`/chat/completions`: the request, and its chunks as they are streamed."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from or_mcp.openrouter.wire.citations import Annotation
from or_mcp.openrouter.wire.errors import ErrorBody
from or_mcp.openrouter.wire.lenient import Lenient, Name, Reply, Rows
from or_mcp.openrouter.wire.request import Request
from or_mcp.openrouter.wire.routing import Provider, Reasoning, StopWhen
from or_mcp.openrouter.wire.usage import Usage


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
    modalities: tuple[str, ...] | None = None
    audio: dict[str, str] | None = None
    session_id: str | None = None
    service_tier: str | None = None
    cache_control: dict[str, str] | None = None
    stream: bool = True


class FunctionCall(Reply):
    """The function a model wants called; arguments arrive in fragments."""

    name: Lenient[str] = None
    arguments: Lenient[str] = None


class ToolCall(Reply):
    """A (fragment of a) tool call, keyed by its index."""

    index: Lenient[int] = None
    id: Lenient[Name] = None
    function: Lenient[FunctionCall] = None


class ChatAnnotation(Reply):
    """A citation, or what was read from a document; nested under its type."""

    type: Lenient[str] = None
    url_citation: Lenient[Annotation] = None
    file: Lenient[dict[str, JsonValue]] = None


class ImageUrl(Reply):
    """A picture within JSON, as a data URL."""

    url: str


class ChatImage(Reply):
    """A picture that a model has drawn."""

    image_url: ImageUrl


class ChatAudio(Reply):
    """What a model says, in pieces: sound in base64, and its words."""

    id: Lenient[Name] = None
    data: Lenient[str] = None
    transcript: Lenient[str] = None


class ChatMessage(Reply):
    """A message, or a delta of one."""

    content: Lenient[str | tuple[JsonValue, ...]] = None
    refusal: Lenient[str] = None
    reasoning: Lenient[str] = None
    reasoning_details: Rows[JsonValue] = ()
    tool_calls: Rows[ToolCall] = ()
    annotations: Rows[ChatAnnotation] = ()
    images: Rows[ChatImage] = ()
    audio: Lenient[ChatAudio] = None


class Choice(Reply):
    """One answer, or a piece of it."""

    finish_reason: Lenient[Name] = None
    native_finish_reason: Lenient[Name] = None
    delta: Lenient[ChatMessage] = None
    message: Lenient[ChatMessage] = None
    error: Lenient[ErrorBody] = None


def _says(piece: ChatMessage) -> bool:
    return bool(piece.content or piece.reasoning or piece.tool_calls or piece.images or piece.audio)


class Routing(Reply):
    """How a router came to its model; told to whoever asks for it by a header."""

    requested: Lenient[Name] = None
    strategy: Lenient[Name] = None
    summary: Lenient[Name] = None


class ChatChunk(Reply):
    """One chunk of a stream, or the whole reply when it came at once."""

    id: Lenient[Name] = None
    model: Lenient[Name] = None
    provider: Lenient[Name] = None
    choices: Rows[Choice] = ()
    usage: Lenient[Usage] = None
    error: Lenient[ErrorBody] = None
    service_tier: Lenient[Name] = None
    openrouter_metadata: Lenient[Routing] = None

    @property
    def finishes(self) -> bool:
        """Whether the model has ended its answer."""
        return any(choice.finish_reason for choice in self.choices)

    @property
    def goes_on(self) -> bool:
        """Whether the model says something, and does not end with it."""
        said = [choice.delta for choice in self.choices if choice.delta is not None]
        return not self.finishes and any(_says(piece) for piece in said)

    @property
    def fails(self) -> bool:
        """Whether it tells of an error."""
        return self.error is not None or any(
            choice.error is not None or choice.finish_reason == "error" for choice in self.choices
        )
