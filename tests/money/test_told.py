"""What a call costs is told before it is sent and after it has come back, as upstream bills it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from openrouter.components import ChatRequest

from or_mcp.simulator import Simulator
from tests.conftest import Connect, Upstream, text_of

# A model whose provider caches unasked, and charges what it writes.
CACHING = "openai/gpt-5.6-luna"
# More than the least that a provider caches.
LONG = "The ledger of the harbour lists every ship that came in and what it paid. " * 300


async def settled(client: Any) -> float:
    """What the account says was spent today."""
    told = (await client.call_tool("account", {})).structured_content
    return told["today"]["total_usd"]


@pytest.mark.parametrize(
    ("model", "documents", "cost"),
    [
        ("cohere/rerank-v3.5", ["a short one"] * 100, 0.001),
        ("cohere/rerank-v3.5", ["w" * 4_800] * 60, 0.002),
        ("cohere/rerank-4-pro", ["a short one"] * 101, 0.005),
        ("qwen/qwen3-reranker-8b", ["w" * 4_800] * 20, 0.2e-6 * 20 * (2 + 100 + 1_200)),
        ("nvidia/llama-nemotron-rerank-vl-1b-v2:free", ["a short one"] * 3, 0),
    ],
)
async def test_an_order_of_documents_is_estimated_and_settled(
    connect: Connect, model: str, documents: list[str], cost: float
):
    async with connect(OR_MCP_DAILY_BUDGET_USD="0.05") as client:
        result = await client.call_tool("rerank", {"model": model, "query": "harbour", "documents": documents})
        assert await settled(client) == pytest.approx(cost)
    told = result.structured_content
    assert told["cost_usd"] == pytest.approx(cost)
    assert told["cost_estimate_usd"]["low"] <= cost + 1e-9
    assert told["cost_estimate_usd"]["high"] >= cost - 1e-9


async def test_an_order_of_unknown_price_is_not_called_free_and_its_bill_is_told(connect: Connect):
    asked = {"model": "voyageai/rerank-2.5", "query": "harbour", "documents": ["w" * 4_800] * 20}
    async with connect() as client:
        result = await client.call_tool("rerank", asked)
        assert await settled(client) == pytest.approx(result.structured_content["cost_usd"])
    assert "its price is not known" in text_of(result)
    assert result.structured_content["cost_usd"] > 0


async def test_what_a_cached_conversation_costs_is_told(connect: Connect, upstream: Upstream):
    turns: list[dict[str, Any]] = []
    async with connect() as client:
        for prompt in (LONG, "And then?", "And after that?"):
            more = {"continue_run": turns[-1]["run_id"]} if turns else {}
            asked = {"model": CACHING, "prompt": prompt, "max_output_tokens": 900, **more}
            turns.append((await client.call_tool("ask", asked)).structured_content)
        spent = await settled(client)
    first, *later = [turn["usage"] for turn in turns]
    assert first["cached_tokens"] == 0 < first["cache_write_tokens"]
    assert [turn["cached_tokens"] > 5_000 for turn in later] == [True, True]
    # Reading a cache costs a tenth of the prompt, and writing to it a quarter more.
    assert turns[1]["cost_usd"] < turns[0]["cost_usd"] / 3
    for turn in turns:
        assert turn["cost_usd"] <= turn["cost_estimate_usd"]["most"]
    assert spent == pytest.approx(sum(turn["cost_usd"] for turn in turns))
    assert len(upstream.posts("/chat/completions")) == 3


@pytest.mark.parametrize(("model", "share"), [("anthropic/claude-sonnet-4.5", 0.35), ("qwen/qwen3-max", 0.4)])
async def test_a_conversation_is_read_from_a_cache_from_its_second_turn_on_where_a_maker_must_be_asked(
    connect: Connect, upstream: Upstream, model: str, share: float
):
    document = "The ledger of the harbour lists every ship that came in and what it paid. " * 1_200
    turns: list[dict[str, Any]] = []
    async with connect() as client:
        listed = (await client.call_tool("list_models", {"query": model, "limit": 1})).structured_content["models"][0]
        for number in range(12):
            more = {"continue_run": turns[-1]["run_id"], "prompt": f"And on day {number}?"} if turns else {}
            asked = {"model": model, "prompt": document, "max_output_tokens": 300} | more
            turns.append((await client.call_tool("ask", asked)).structured_content)
    prices = listed["input_price"], listed["output_price"]
    uncached = sum(
        (turn["usage"]["input_tokens"] * prices[0] + turn["usage"]["output_tokens"] * prices[1]) / 1e6 for turn in turns
    )
    assert turns[0]["usage"]["input_tokens"] > 15_000
    assert sum(turn["cost_usd"] for turn in turns) <= uncached * share
    assert all(turn["cost_usd"] <= turn["cost_estimate_usd"]["most"] for turn in turns)
    marks = [post.body.get("cache_control") for post in upstream.posts("/chat/completions")]
    assert marks == [None, *[{"type": "ephemeral"}] * 11]


def cost_line(result: Any) -> str:
    """The last line of an answer."""
    return text_of(result).splitlines()[-1]


async def test_the_cost_line_says_which_part_came_from_a_cache(connect: Connect):
    asked = {"model": CACHING, "max_output_tokens": 900}
    async with connect() as client:
        first = await client.call_tool("ask", asked | {"prompt": LONG})
        run_id = first.structured_content["run_id"]
        later = await client.call_tool("ask", asked | {"prompt": "And then?", "continue_run": run_id})
        again = await client.call_tool("run", {"run_id": later.structured_content["run_id"]})
    assert "from cache" not in cost_line(first)
    answer = later.structured_content
    share = round(100 * answer["usage"]["cached_tokens"] / answer["usage"]["input_tokens"])
    assert cost_line(later).startswith(f"Cost: ${answer['cost_usd']:.4f}, {share} % from cache · today ")
    assert share > 80
    assert f", {share} % from cache · " in text_of(again)


async def test_rows_that_share_their_beginning_tell_what_came_from_a_cache(connect: Connect):
    asked = {"model": CACHING, "instructions": LONG, "prompt": "Ship {text}?", "max_output_tokens": 50}
    async with connect() as client:
        result = await client.call_tool("ask", asked | {"rows": [{"text": str(number)} for number in range(30)]})
    usage = result.structured_content["usage"]
    assert 0 < usage["cache_write_tokens"] < usage["cached_tokens"] < usage["input_tokens"]
    assert " % from cache · " in cost_line(result)


def rest(tmp_path: Path, seconds: float) -> None:
    """All runs so far ended so much earlier."""
    with sqlite3.connect(tmp_path / "data" / "runs.sqlite3") as store:
        store.execute("UPDATE runs SET ended = ended - ?", (seconds,))


@pytest.mark.parametrize(
    ("model", "minutes", "mark"),
    [
        ("anthropic/claude-sonnet-5", 1, {"type": "ephemeral"}),
        ("anthropic/claude-sonnet-5", 20, {"type": "ephemeral", "ttl": "1h"}),
        ("anthropic/claude-sonnet-5", 90, {"type": "ephemeral"}),
        # Nobody says what an hour costs there.
        ("anthropic/claude-opus-4.8", 20, {"type": "ephemeral"}),
        ("qwen/qwen3-max", 20, {"type": "ephemeral"}),
        ("openai/gpt-5-mini", 20, None),
    ],
)
async def test_a_conversation_is_kept_for_an_hour_where_its_pauses_suggest_it(
    connect: Connect, upstream: Upstream, tmp_path: Path, model: str, minutes: int, mark: dict[str, str] | None
):
    asked = {"model": model, "max_output_tokens": 300}
    async with connect() as client:
        first = (await client.call_tool("ask", asked | {"prompt": LONG})).structured_content
        rest(tmp_path, 60 * minutes)
        more = {"prompt": "And then?", "continue_run": first["run_id"]}
        second = (await client.call_tool("ask", asked | more)).structured_content
    posts = upstream.posts("/chat/completions")
    assert [post.body.get("cache_control") for post in posts] == [None, mark]
    ChatRequest.model_validate(posts[1].body)
    assert second["cost_usd"] <= second["cost_estimate_usd"]["high"]


async def test_an_hour_that_costs_more_than_writing_twice_is_not_asked_for(connect: Connect, tmp_path: Path):
    prices = {"prompt": "0.000003", "completion": "0.000015", "input_cache_read": "0.0000003"}
    dear = prices | {"input_cache_write": "0.00000375", "input_cache_write_1h": "0.0000075"}
    simulator = Simulator(models=[{"id": "anthropic/dear", "pricing": dear}])
    asked = {"model": "anthropic/dear", "max_output_tokens": 300}
    async with simulator.running() as base_url, connect(OPENROUTER_BASE_URL=base_url) as client:
        first = (await client.call_tool("ask", asked | {"prompt": LONG})).structured_content
        rest(tmp_path, 1_200)
        await client.call_tool("ask", asked | {"prompt": "And then?", "continue_run": first["run_id"]})
    assert simulator.posts("/chat/completions")[1].body["cache_control"] == {"type": "ephemeral"}


PAID: list[tuple[str, str, dict[str, Any]]] = [
    ("/chat/completions", "ask", {"model": "openai/gpt-5-mini", "prompt": "Hello?"}),
    ("/responses", "fuse", {"prompt": "Hello?"}),
    ("/embeddings", "embed", {"model": "openai/text-embedding-3-small", "input": ["a", "b"]}),
    ("/rerank", "rerank", {"model": "cohere/rerank-v3.5", "query": "a", "documents": ["a", "b"]}),
    ("/images", "make", {"kind": "image", "prompt": "A harbour"}),
    ("/systemone", "decide", {"questions": {"q": {"type": "yes_no", "instructions": "Is it?"}}, "state": "a"}),
]


@pytest.mark.parametrize(("path", "tool", "arguments"), PAID)
async def test_every_paid_request_names_its_session(
    connect: Connect, upstream: Upstream, path: str, tool: str, arguments: dict[str, Any]
):
    async with connect() as client:
        result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    (post,) = upstream.posts(path)
    assert post.body["session_id"].startswith("or-mcp-")
