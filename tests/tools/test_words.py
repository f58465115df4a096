"""What a model and a person read first of an answer, and that they read nothing twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from mcp.types import Implementation

from or_mcp.tools import ALL_TOOLS
from tests.conftest import Connect, Upstream, text_of

MINI = "openai/gpt-5-mini"
PANEL = [MINI, "openai/gpt-5-nano", "z-ai/glm-5.2"]
FUSE = {"prompt": "Monolith or microservices?", "analysis_models": PANEL, "web": False}
CALLS: dict[str, tuple[dict[str, Any], str]] = {
    "fuse": (FUSE, "Fused 3/3 · $"),
    "ask": ({"prompt": "Why?", "model": MINI}, f"Answered · {MINI} · OpenAI · $"),
    "embed": (
        {"model": "openai/text-embedding-3-small", "query": "pears", "input": ["apples", "pears"]},
        "Ranked 2 texts · openai/text-embedding-3-small · 1536 dimensions · $",
    ),
    "rerank": (
        {"model": "cohere/rerank-v3.5", "query": "pears", "documents": ["apples", "pears"]},
        "Ordered 2 documents · cohere/rerank-v3.5 · Cohere · $",
    ),
}
LISTS = {"panel", "failed_models", "notes", "tool_calls", "citations", "sources", "results", "near_duplicates"}


def test_descriptions_are_paragraphs_whose_first_sentence_stands_alone():
    for tool in ALL_TOOLS.values():
        first, *others = (tool.listed().description or "").split("\n\n")
        assert len(first) < 100, first
        assert first.endswith("."), first
        assert others
        assert not [paragraph for paragraph in (first, *others) if "\n" in paragraph]


@pytest.mark.parametrize("tool", CALLS)
async def test_the_first_line_of_a_paid_answer_is_what_came_of_it(connect: Connect, upstream: Upstream, tool: str):
    arguments, expected = CALLS[tool]
    async with connect() as client:
        result = await client.call_tool(tool, arguments)
    first, second, *_, last = text_of(result).splitlines()
    assert first.startswith(expected)
    assert first.endswith(f" s · {result.structured_content['run_id']}")
    assert second.startswith(("[", "Note: "))
    assert last.startswith("Cost: $")
    assert "\nRun: " not in text_of(result)


async def test_an_answer_that_one_model_wrote_alone_begins_by_saying_so(connect: Connect, upstream: Upstream):
    upstream.script({"not_convened": True})
    async with connect() as client:
        result = await client.call_tool("fuse", FUSE)
    assert text_of(result).startswith("Not fused: one model wrote this alone · $")


async def test_a_run_under_way_says_how_it_goes_once(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "stall_at_event": 9})
    async with connect() as client:
        run_id = (await client.call_tool("fuse", FUSE | {"wait_seconds": 0})).structured_content["run_id"]
        under_way = await client.call_tool("run", {"run_id": run_id})
        while "answered" not in text_of(under_way):
            under_way = await client.call_tool("run", {"run_id": run_id, "wait_seconds": 0.05})
    first = text_of(under_way).splitlines()[0]
    assert first.startswith("Running · ")
    assert first.endswith(run_id)
    assert text_of(under_way).count("answered") == 1, "how it goes is told once"


@pytest.mark.parametrize("tool", CALLS)
async def test_what_is_empty_or_not_known_is_left_out(connect: Connect, upstream: Upstream, tool: str):
    async with connect() as client:
        told = (await client.call_tool(tool, CALLS[tool][0])).structured_content
    assert not [(name, value) for name, value in pairs(told) if value == [] or value is None]
    assert isinstance(told["cost_usd"], float)
    assert told["cost_estimate_usd"]["most"] is not None
    assert told.keys() & LISTS < LISTS


async def test_a_cost_that_is_not_known_stays_as_null_and_is_told_in_words(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "cut_at_event": 3}, {"path": "/generation", "status": 404})
    async with connect() as client:
        assert (await client.call_tool("ask", {"prompt": "Why?", "model": MINI})).is_error
        listed = await client.call_tool("run", {})
        (row,) = listed.structured_content["runs"]
        result = await client.call_tool("run", {"run_id": row["run_id"]})
    assert result.structured_content["cost_usd"] is row["cost_usd"] is None
    first, why, *_ = text_of(result).splitlines()
    assert first.startswith("Failed · cost unknown · ")
    assert why.startswith("stream_broken: ")
    assert " failed cost unknown " in text_of(listed)


def pairs(value: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        for name, each in value.items():  # pyright: ignore[reportUnknownVariableType]
            found += [(str(name), each), *pairs(each)]  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for each in value:  # pyright: ignore[reportUnknownVariableType]
            found += pairs(each)
    return found


@pytest.mark.parametrize(
    ("chosen", "host", "is_structured"),
    [
        ("auto", "somebody", True),
        ("auto", "claude-code", True),
        ("auto", "cline", False),
        ("auto", "@cline/core", False),
        ("auto", "github-copilot-developer", False),
        ("auto", "ai-sdk-mcp-client", False),
        ("on", "cline", True),
        ("off", "somebody", False),
    ],
)
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_structured_form_goes_where_a_model_does_not_read_both(
    connect: Connect, upstream: Upstream, chosen: str, host: str, is_structured: bool, mode: str
):
    named = {"client_info": Implementation(name=host, version="1")}
    async with connect(mode, client=named, OR_MCP_STRUCTURED=chosen) as client:
        listed = (await client.list_tools()).tools
        answer = await client.call_tool("ask", {"prompt": "Why?", "model": MINI})
        read = await client.call_tool("run", {})
    assert {tool.output_schema is not None for tool in listed} == {is_structured}
    assert [each.structured_content is not None for each in (answer, read)] == [is_structured] * 2
    assert text_of(answer).startswith("Answered")


async def test_the_page_reads_the_structured_form_wherever_it_is_shown(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_STRUCTURED="off") as client:
        read = await client.call_tool("run", {}, meta={"or-mcp/view": True})
    assert read.structured_content == {"runs": []}


async def test_today_is_what_was_spent_and_what_is_set_aside_is_told_beside_it(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "stall_at_event": 9})
    async with connect(OR_MCP_DAILY_BUDGET_USD="5") as client:
        spent = (await client.call_tool("ask", {"prompt": "Why?", "model": MINI})).structured_content["cost_usd"]
        under_way = await client.call_tool("fuse", FUSE | {"wait_seconds": 0})
        most = under_way.structured_content["cost_estimate_usd"]["most"]
    left = Decimal(5) - Decimal(str(spent)) - Decimal(str(most))
    line = f"Cost: unknown · today ${spent:.2f}, ${most:.2f} set aside · budget left ${left:.2f}"
    assert text_of(under_way).splitlines()[-1] == line


async def test_the_whole_of_which_progress_is_told_stays_the_same(connect: Connect, upstream: Upstream):
    heard: list[tuple[float, float | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        del message
        heard.append((progress, total))

    upstream.script({"path": "/responses", "duration_s": 2})
    async with connect("legacy") as client:
        await client.call_tool("fuse", {"prompt": "Who sits on your panel?"}, progress_callback=hear)
    steps = [done for done, _ in heard]
    assert len({total for _, total in heard}) == 1
    assert steps == sorted(set(steps))
    assert len(steps) > 3
    assert all(total is not None and done < total for done, total in heard)


async def test_a_cursor_costs_less_than_a_row(connect: Connect):
    async with connect() as client:
        for query in ({}, {"query": "cheap vision claude"}, {"sort": "newest"}, {"query": "gpt", "sort": "price"}):
            result = await client.call_tool("list_models", {"limit": 2} | query)
            cursor = result.structured_content["next_cursor"]
            rows = text_of(result).splitlines()[1:3]
            assert len(cursor) <= 110 < sum(map(len, rows))
            again = await client.call_tool("list_models", {"limit": 2, "cursor": cursor} | query)
            assert again.structured_content["models"]
