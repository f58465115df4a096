"""What a call costs is told before it is sent and after it has come back, as upstream bills it."""

from __future__ import annotations

from typing import Any

import pytest

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
