"""The tools of the conformance scenarios that only answer, tell, or ask while they work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mcp_types
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp_types import CallToolRequestParams, CallToolResult, TextContent

Context = ServerRequestContext[Any, Any]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="


def said(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)])


def picture() -> mcp_types.ImageContent:
    return mcp_types.ImageContent(type="image", data=PIXEL, mime_type="image/png")


def embedded(uri: str, kind: str, text: str) -> mcp_types.EmbeddedResource:
    contents = mcp_types.TextResourceContents(uri=uri, mime_type=kind, text=text)
    return mcp_types.EmbeddedResource(type="resource", resource=contents)


async def test_simple_text(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    return said("This is a simple text response for testing.")


async def test_image_content(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    return CallToolResult(content=[picture()])


async def test_audio_content(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    return CallToolResult(content=[mcp_types.AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")])


async def test_embedded_resource(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    return CallToolResult(content=[embedded("test://embedded-resource", "text/plain", "An embedded resource.")])


async def test_multiple_content_types(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    text = TextContent(type="text", text="Multiple content types test:")
    resource = embedded("test://mixed-content-resource", "application/json", '{"test": "data", "value": 123}')
    return CallToolResult(content=[text, picture(), resource])


async def test_error_handling(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    return said("This tool intentionally returns an error for testing").model_copy(update={"is_error": True})


async def test_tool_with_logging(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        # Deprecated in the newer era, and still what the older one's scenario asks for.
        await ctx.session.send_log_message("info", text, related_request_id=ctx.request_id)  # pyright: ignore[reportDeprecated]
    return said("Tool with logging executed successfully")


async def test_tool_with_progress(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    for done in (0, 50, 100):
        await ctx.session.report_progress(done, 100, f"Completed step {done} of 100")
    return said(str((ctx.meta or {}).get("progress_token")))


async def test_sampling(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    prompt = TextContent(type="text", text=str((params.arguments or {})["prompt"]))
    messages = [mcp_types.SamplingMessage(role="user", content=prompt)]
    answer = await ctx.session.create_message(  # pyright: ignore[reportDeprecated]
        messages, max_tokens=100, related_request_id=ctx.request_id
    )
    return said(f"LLM response: {answer.content.text if answer.content.type == 'text' else 'no text'}")


async def test_elicitation(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    response = {"type": "string", "description": "User's response"}
    return await _asked(ctx, str((params.arguments or {})["message"]), {"response": response}, ["response"])


async def test_elicitation_sep1034_defaults(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    properties = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    return await _asked(ctx, "Please provide user information", properties, [])


async def test_elicitation_sep1330_enums(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    low = [{"const": "low", "title": "Low Priority"}, {"const": "high", "title": "High Priority"}]
    bug = [{"const": "bug", "title": "Bug Fix"}, {"const": "docs", "title": "Documentation"}]
    small = {"enum": ["small", "large"], "enumNames": ["Small Size", "Large Size"]}
    properties = {
        "untitledSingle": {"type": "string", "enum": ["active", "inactive", "pending"]},
        "titledSingle": {"type": "string", "oneOf": low},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["read", "write"]}},
        "titledMulti": {"type": "array", "items": {"anyOf": bug}},
        "legacyEnum": {"type": "string", **small},
    }
    return await _asked(ctx, "Please select", properties, [])


async def _asked(ctx: Context, message: str, properties: Mapping[str, Any], required: list[str]) -> CallToolResult:
    schema = {"type": "object", "properties": dict(properties), "required": required}
    answer = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)
    return said(f"User response: action={answer.action}, content={answer.content or {}}")


async def test_x_mcp_header(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    return said(f"region={(params.arguments or {}).get('region')}")


async def json_schema_2020_12_tool(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    return said("json_schema_2020_12_tool")


async def test_missing_capability(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        needed: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        code = mcp_types.MISSING_REQUIRED_CLIENT_CAPABILITY
        raise MCPError(code=code, message="This tool needs the client's sampling", data=needed)
    return said("The client can sample.")


CONTENT_TOOLS = (
    test_simple_text,
    test_image_content,
    test_audio_content,
    test_embedded_resource,
    test_multiple_content_types,
    test_error_handling,
    test_tool_with_logging,
    test_tool_with_progress,
    test_sampling,
    test_elicitation,
    test_elicitation_sep1034_defaults,
    test_elicitation_sep1330_enums,
    test_missing_capability,
    test_x_mcp_header,
    json_schema_2020_12_tool,
)
PLAIN_SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}
SCHEMAS: dict[str, dict[str, Any]] = {
    "test_x_mcp_header": {
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
    },
    "json_schema_2020_12_tool": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            }
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    },
}
