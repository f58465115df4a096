"""The tools of the conformance scenarios that answer with a question and are called again with its answer."""

from __future__ import annotations

import json
from typing import Any

import mcp_types
from mcp_types import CallToolRequestParams, CallToolResult, InputRequiredResult

from tests.conformance.content import Context, said

Turn = CallToolResult | InputRequiredResult


def form(message: str, field: str, kind: str = "string") -> mcp_types.ElicitRequest:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return mcp_types.ElicitRequest(params=mcp_types.ElicitRequestFormParams(message=message, requested_schema=schema))


def sample(text: str) -> mcp_types.CreateMessageRequest:
    prompt = mcp_types.TextContent(type="text", text=text)
    messages = [mcp_types.SamplingMessage(role="user", content=prompt)]
    return mcp_types.CreateMessageRequest(
        params=mcp_types.CreateMessageRequestParams(messages=messages, max_tokens=100)
    )


def question(state: str | None = None, **asked: Any) -> InputRequiredResult:
    return InputRequiredResult(input_requests=asked, request_state=state)


def written(answer: Any, field: str) -> str:
    return str((answer.content or {}).get(field)) if isinstance(answer, mcp_types.ElicitResult) else "?"


async def test_input_required_result_elicitation(ctx: Context, params: CallToolRequestParams) -> Turn:
    answers = params.input_responses or {}
    if "user_name" not in answers:
        return question(user_name=form("What is your name?", "name"))
    return said(f"Hello, {written(answers['user_name'], 'name')}!")


async def test_input_required_result_sampling(ctx: Context, params: CallToolRequestParams) -> Turn:
    answer = (params.input_responses or {}).get("capital_question")
    if not isinstance(answer, mcp_types.CreateMessageResult):
        return question(capital_question=sample("What is the capital of France?"))
    return said(f"Model said: {answer.content.text if answer.content.type == 'text' else '?'}")


async def test_input_required_result_list_roots(ctx: Context, params: CallToolRequestParams) -> Turn:
    answer = (params.input_responses or {}).get("client_roots")
    if not isinstance(answer, mcp_types.ListRootsResult):
        return question(client_roots=mcp_types.ListRootsRequest())
    return said(f"Client exposed {len(answer.roots)} root(s).")


async def test_input_required_result_request_state(ctx: Context, params: CallToolRequestParams) -> Turn:
    if "confirm" in (params.input_responses or {}) and params.request_state == "nonce":
        return said("state-ok: confirmation received")
    return question("nonce", confirm=form("Please confirm", "ok", "boolean"))


async def test_input_required_result_multiple_inputs(ctx: Context, params: CallToolRequestParams) -> Turn:
    asked = {
        "user_name": form("What is your name?", "name"),
        "greeting": sample("Generate a greeting"),
        "client_roots": mcp_types.ListRootsRequest(),
    }
    if asked.keys() <= (params.input_responses or {}).keys():
        return said("All inputs received.")
    return question("multiple", **asked)


async def test_input_required_result_multi_round(ctx: Context, params: CallToolRequestParams) -> Turn:
    known: dict[str, str] = json.loads(params.request_state) if params.request_state else {}
    answers = params.input_responses or {}
    if "asked" in known and "step1" in answers:
        name = written(answers["step1"], "name")
        return question(json.dumps({"name": name}), step2=form("Step 2: What is your favorite color?", "color"))
    if "name" in known and "step2" in answers:
        return said(f"{known['name']} likes {written(answers['step2'], 'color')}.")
    return question(json.dumps({"asked": "name"}), step1=form("Step 1: What is your name?", "name"))


async def test_input_required_result_tampered_state(ctx: Context, params: CallToolRequestParams) -> Turn:
    if params.request_state is None:
        return question("round-1", confirm=form("Please confirm", "ok", "boolean"))
    return said(f"state-ok: {params.request_state}")


async def test_input_required_result_capabilities(ctx: Context, params: CallToolRequestParams) -> Turn:
    able = ctx.session.client_capabilities
    asked: dict[str, Any] = {}
    if able is not None and able.sampling is not None:
        asked["sample"] = sample("Say hello")
    if able is not None and able.elicitation is not None:
        asked["ask"] = form("What is your name?", "name")
    return question("by-capability", **asked)


ROUND_TOOLS = (
    test_input_required_result_elicitation,
    test_input_required_result_sampling,
    test_input_required_result_list_roots,
    test_input_required_result_request_state,
    test_input_required_result_multiple_inputs,
    test_input_required_result_multi_round,
    test_input_required_result_tampered_state,
    test_input_required_result_capabilities,
)
