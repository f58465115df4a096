"""`/responses`: the request, and its events as they are streamed."""

from __future__ import annotations

from pydantic import JsonValue

from or_mcp.openrouter.wire.citations import Annotation
from or_mcp.openrouter.wire.errors import ErrorBody
from or_mcp.openrouter.wire.lenient import Address, Lenient, Name, Number, Reply, Rows
from or_mcp.openrouter.wire.request import Request
from or_mcp.openrouter.wire.routing import Provider, Reasoning, StopWhen, WebTool
from or_mcp.openrouter.wire.sessions import SessionRequest
from or_mcp.openrouter.wire.usage import Usage

FAILURES = frozenset({"response.failed", "response.cancelled"})
ENDINGS = frozenset({"response.completed", "response.incomplete"}) | FAILURES
"""The types of the event after which an answer is over, whatever its connection does."""


class FusionParameters(Request):
    """How a panel works, in the tool form."""

    analysis_models: tuple[str, ...] | None = None
    model: str | None = None
    max_tool_calls: int | None = None
    max_completion_tokens: int | None = None
    reasoning: Reasoning | None = None
    temperature: float | None = None
    tools: tuple[WebTool, ...] | None = None


class FusionTool(Request):
    """The server tool that convenes a panel."""

    type: str = "openrouter:fusion"
    parameters: FusionParameters | None = None


class FusionPlugin(Request):
    """How a panel works, in the plugin form, which alone knows presets."""

    id: str = "fusion"
    preset: str | None = None
    analysis_models: tuple[str, ...] | None = None
    model: str | None = None
    max_tool_calls: int | None = None
    tools: tuple[WebTool, ...] | None = None


class ResponsesRequest(SessionRequest):
    """What is sent to `/responses`."""

    model: str
    input: str
    instructions: str | None = None
    tools: tuple[FusionTool, ...] | None = None
    plugins: tuple[FusionPlugin, ...] | None = None
    tool_choice: str | None = None
    max_tool_calls: int | None = None
    stop_server_tools_when: tuple[StopWhen, ...] | None = None
    max_output_tokens: int | None = None
    provider: Provider | None = None
    stream: bool = True


class ContentPart(Reply):
    """One part of a message."""

    type: Lenient[str] = None
    text: Lenient[str] = None
    refusal: Lenient[str] = None
    annotations: Rows[Annotation] = ()


class PanelReply(Reply):
    """What one panelist wrote."""

    model: Name = ""
    content: Lenient[str] = None


class PanelFailure(Reply):
    """A panelist with no reply, and why."""

    model: Name = ""
    error: Lenient[str] = None
    status_code: Lenient[int] = None


class Source(Reply):
    """A page that somebody on the panel cited."""

    url: Lenient[Address] = None
    title: Lenient[Name] = None


class OutputItem(Reply):
    """One item of the output: a message, a fusion record, or something newer."""

    id: Lenient[Name] = None
    type: str = ""
    status: Lenient[Name] = None
    phase: Lenient[str] = None
    content: Rows[ContentPart] = ()
    analysis: Lenient[JsonValue] = None
    responses: Rows[PanelReply] = ()
    failed_models: Rows[PanelFailure] = ()
    failure_reason: Lenient[Name] = None
    error: Lenient[str] = None
    sources: Rows[Source] = ()


class IncompleteDetails(Reply):
    """Why the answer stopped early."""

    reason: Lenient[Name] = None


class Response(Reply):
    """The response object: empty at the stream's start, whole at its end."""

    id: Lenient[Name] = None
    model: Lenient[Name] = None
    status: Lenient[Name] = None
    output: Rows[OutputItem] = ()
    usage: Lenient[Usage] = None
    error: Lenient[ErrorBody] = None
    error_type: Lenient[str] = None
    incomplete_details: Lenient[IncompleteDetails] = None


class ResponseEvent(Reply):
    """One event of the stream. Which fields it has goes by its type; unknown types are skipped."""

    type: str = ""
    output_index: Lenient[int] = None
    item_id: Lenient[str] = None
    model: Lenient[Name] = None
    delta: Lenient[str] = None
    text: Lenient[str] = None
    content: Lenient[str] = None
    error: Lenient[str | ErrorBody] = None
    status_code: Lenient[int] = None
    analyst_model: Lenient[Name] = None
    judge_model: Lenient[Name] = None
    analysis: Lenient[JsonValue] = None
    item: Lenient[OutputItem] = None
    response: Lenient[Response] = None
    annotation: Lenient[Annotation] = None
    code: Lenient[int | str] = None
    message: Lenient[str] = None
    sequence_number: Number = None
