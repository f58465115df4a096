"""What one caller sends is bounded before it is worked on, and what is said of it is short."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from bench.heavy import HEAVY, Heavy
from or_mcp.calls.schemas import input_schema
from or_mcp.conversation.structure import check_schema
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.simulator import Simulator
from or_mcp.tools import ALL_TOOLS
from tests.conftest import Connect, text_of
from tests.serving.programs import LEGACY, environment, serving_http

LIMIT = 48_000
MANY: dict[str, tuple[str, dict[str, Any], str]] = {
    "fallback_models": ("ask", {"prompt": "x", "fallback_models": [{}] * 3000}, "more of fallback_models"),
    "as a string": ("ask", {"prompt": "x", "fallback_models": "[{}]".replace("{}", "{}," * 2999 + "{}")}, "2,995 more"),
    "documents": ("rerank", {"model": "a/b", "query": "x", "documents": [1] * 3000}, "2,995 more of documents"),
    "input": ("embed", {"model": "a/b", "input": [{}] * 3000}, "2,995 more of input"),
    "unknown": ("ask", {f"n{place}": 1 for place in range(20_000)}, "19,995 more arguments are unknown"),
    "tool_outputs": ("ask", {"tool_outputs": [{"call_id": 1}] * 100}, "more of tool_outputs"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The program over HTTP."""
    with (
        Simulator().serve_in_thread() as base_url,
        serving_http(environment(base_url, tmp_path_factory.mktemp("heavy"))) as address,
    ):
        yield address


def posted(root: str, method: str, params: Mapping[str, Any]) -> tuple[int, bytes]:
    parts = urlsplit(root)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, separators=(",", ":"))
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    try:
        connection.request("POST", "/mcp", message, headers | {"MCP-Protocol-Version": LEGACY})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


@pytest.mark.parametrize("name", MANY)
async def test_the_first_problems_of_a_list_are_told_and_the_others_counted(connect: Connect, name: str):
    tool, arguments, counted = MANY[name]
    async with connect() as client:
        told = text_of(await client.call_tool(tool, arguments))
    assert told.startswith("invalid_request: ")
    assert counted in told
    assert len(told) < 4000


def test_a_schema_is_built_once_for_each_tool():
    for tool in ALL_TOOLS.values():
        assert input_schema(tool.arguments) is input_schema(tool.arguments)


@pytest.mark.parametrize("heavy", HEAVY, ids=lambda heavy: heavy.name)
@pytest.mark.parametrize("size", [1_000_000, 4_000_000])
@pytest.mark.timeout(180)
def test_whatever_is_sent_the_answer_is_short(root: str, heavy: Heavy, size: int):
    status, body = posted(root, heavy.method, heavy.params(size))
    assert status in (200, 400), body[:300]
    assert len(body) < LIMIT
    assert b'"internal' not in body
    assert b"internal: " not in body


@pytest.mark.parametrize(
    "params",
    [
        {"name": "run", "arguments": {"run_id": "x" * 40_000}},
        {"name": "ask", "arguments": {"model": "m" * 8_000, "prompt": "x"}},
        {"name": "fuse", "arguments": {"analysis_models": ["m" * 8_000] * 8, "prompt": "x"}},
        {"name": "endpoints", "arguments": {"model": "m/" * 4_000}},
        {"name": "account", "arguments": {"view": "generation", "generation_id": "g" * 8_000}},
        {"name": "ask", "arguments": {"prompt": "x", "tool_choice": "c" * 8_000}},
        {"name": "list_models", "arguments": {"author": "a" * 8_000, "input_modality": "b" * 8_000}},
    ],
    ids=lambda params: params["name"],
)
def test_long_names_are_not_repeated_at_length(root: str, params: dict[str, Any]):
    status, body = posted(root, "tools/call", params)
    assert status == 200
    assert len(body) < LIMIT


@pytest.mark.parametrize("member", ["id", "method", "progressToken"])
def test_what_an_answer_would_repeat_is_bounded(root: str, member: str):
    long = "x" * 100_000
    message = {"id": {"params": {"a": {"id": long}}}, "method": {"params": {"a": {"method": long}}}}
    params = message.get(member, {"params": {"_meta": {"progressToken": long}}})["params"]
    assert posted(root, "tools/list", params)[0] == 400


@pytest.mark.parametrize("blank", [" ", "\n\t ", "\u200b\u200b", "\u3000\ufeff"])
@pytest.mark.parametrize("tool", ["ask", "fuse", "embed", "rerank"])
async def test_a_prompt_of_blanks_is_refused(connect: Connect, tool: str, blank: str):
    texts: dict[str, dict[str, Any]] = {
        "ask": {"model": "openai/gpt-5-mini", "prompt": blank},
        "fuse": {"prompt": blank},
        "embed": {"model": "openai/text-embedding-3-small", "query": blank, "input": ["a", "b"]},
        "rerank": {"model": "cohere/rerank-v3.5", "query": blank, "documents": ["a"]},
    }
    async with connect() as client:
        told = text_of(await client.call_tool(tool, texts[tool]))
    assert "is blank; it takes text" in told
    assert "Spent: nothing" in told


@pytest.mark.parametrize("amount", ["inf", "Infinity", "1e400", "nan", 9_000_000, 100_001, 0, -1])
async def test_an_amount_that_is_none_is_the_callers_mistake(connect: Connect, amount: Any):
    async with connect() as client:
        told = text_of(await client.call_tool("ask", {"prompt": "x", "max_cost_usd": amount}))
    assert told.startswith("invalid_request: max_cost_usd was ")


async def test_an_offset_alone_pages_the_result(connect: Connect):
    async with connect() as client:
        asked = await client.call_tool("ask", {"model": "openai/gpt-5-mini", "prompt": "Say something."})
        run_id = asked.structured_content["run_id"]
        whole = await client.call_tool("run", {"run_id": run_id, "part": "result"})
        rest = await client.call_tool("run", {"run_id": run_id, "offset": 5})
    assert rest.structured_content["text"] == whole.structured_content["text"][5:]
    assert rest.structured_content["offset"] == 5


SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {f"p{place}": {"type": "string"} for place in range(20_000)}},
    {"description": "x" * 300_000},
    {"required": [1, {}, "a"]},
    {"enum": [[place] for place in range(10_000)]},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=["many", "long", "no texts", "a list"])
def test_a_schema_that_takes_long_to_check_is_refused_before(schema: dict[str, Any]):
    with pytest.raises(InvalidRequest, match="json_schema is"):
        check_schema(schema)
