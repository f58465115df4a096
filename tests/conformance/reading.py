"""The resources and prompts of the conformance scenarios."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import mcp_types
from mcp_types import GetPromptRequestParams, GetPromptResult, InputRequiredResult, PromptMessage

from tests.conformance.content import PIXEL, embedded, picture
from tests.conformance.rounds import form, question, written

TEMPLATE = "test://template/{id}/data"
RESOURCES = [
    mcp_types.Resource(uri=f"test://{name}", name=name, description=f"Conformance: {name}.", mime_type=kind)
    for name, kind in (
        ("static-text", "text/plain"),
        ("static-binary", "image/png"),
        ("watched-resource", "text/plain"),
    )
]
TEMPLATES = [
    mcp_types.ResourceTemplate(
        uri_template=TEMPLATE, name="template", description="Conformance: a template.", mime_type="application/json"
    )
]


def read(uri: str) -> mcp_types.TextResourceContents | mcp_types.BlobResourceContents | None:
    """A resource of these, or None."""
    if uri == "test://static-binary":
        return mcp_types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PIXEL)
    if uri in ("test://static-text", "test://watched-resource"):
        return mcp_types.TextResourceContents(uri=uri, mime_type="text/plain", text="The text of a resource.")
    before, after = TEMPLATE.split("{id}")
    if uri.startswith(before) and uri.endswith(after):
        given = uri.removeprefix(before).removesuffix(after)
        text = json.dumps({"id": given, "templateTest": True, "data": f"Data for ID: {given}"})
        return mcp_types.TextResourceContents(uri=uri, mime_type="application/json", text=text)
    return None


def _prompt(name: str, *arguments: str) -> mcp_types.Prompt:
    needed = [mcp_types.PromptArgument(name=each, description="For conformance.", required=True) for each in arguments]
    return mcp_types.Prompt(name=name, description=f"Conformance: {name}.", arguments=needed)


PROMPTS = [
    _prompt("test_simple_prompt"),
    _prompt("test_prompt_with_arguments", "arg1", "arg2"),
    _prompt("test_prompt_with_embedded_resource", "resourceUri"),
    _prompt("test_prompt_with_image"),
    _prompt("test_input_required_result_prompt"),
]


def get(params: GetPromptRequestParams) -> GetPromptResult | InputRequiredResult | None:
    """A prompt of these, or None."""
    if params.name == "test_input_required_result_prompt":
        answer = (params.input_responses or {}).get("user_context")
        if answer is None:
            return question(user_context=form("What context should the prompt use?", "context"))
        return _messages([_text(f"Use the following context: {written(answer, 'context')}")])
    contents = _contents(params.name, params.arguments or {})
    return _messages(contents) if contents else None


def _contents(name: str, given: Mapping[str, str]) -> Sequence[Any]:
    match name:
        case "test_simple_prompt":
            return [_text("This is a simple prompt for testing.")]
        case "test_prompt_with_arguments":
            return [_text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")]
        case "test_prompt_with_embedded_resource":
            resource = embedded(given["resourceUri"], "text/plain", "Embedded resource content for testing.")
            return [resource, _text("Please process the embedded resource above.")]
        case "test_prompt_with_image":
            return [picture(), _text("Please analyze the image above.")]
        case _:
            return []


def _messages(contents: Sequence[Any]) -> GetPromptResult:
    return GetPromptResult(messages=[PromptMessage(role="user", content=content) for content in contents])


def _text(text: str) -> mcp_types.TextContent:
    return mcp_types.TextContent(type="text", text=text)
