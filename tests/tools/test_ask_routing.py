"""How a question is routed and searched, and how that is told."""

from __future__ import annotations

from typing import Any

import pytest
from openrouter.components import ChatRequest

from tests.conftest import Connect, Upstream, text_of

PATH = "/chat/completions"
ASK = {"model": "openai/gpt-5-mini", "prompt": "What is new?"}


def search(upstream: Upstream) -> dict[str, Any]:
    (tool,) = upstream.posts(PATH)[-1].body["tools"]
    ChatRequest.model_validate(upstream.posts(PATH)[-1].body)
    return tool["parameters"]


@pytest.mark.parametrize(
    ("domains", "sent"),
    [
        (["python.org", "pypi.org"], {"allowed_domains": ["python.org", "pypi.org"]}),
        (["-example.com"], {"excluded_domains": ["example.com"]}),
    ],
)
async def test_searches_stay_on_the_domains_and_within_the_number_that_were_asked_for(
    connect: Connect, upstream: Upstream, domains: list[str], sent: dict[str, Any]
):
    upstream.script({"path": PATH, "greedy": True})
    question = {"model": "openai/gpt-4o-mini", "prompt": "What is new?", "max_output_tokens": 500}
    async with connect() as client:
        result = await client.call_tool("ask", question | {"web_domains": domains, "max_searches": 2})
    assert not result.is_error, text_of(result)
    answer = result.structured_content
    parameters = search(upstream)
    assert {name: value for name, value in parameters.items() if name.endswith("_domains")} == sent
    assert parameters["max_uses"] == 2
    assert answer["usage"]["web_searches"] == 2
    assert answer["cost_usd"] <= answer["cost_estimate_usd"]["most"]
    assert "Searches: 2." in answer["notes"]


async def test_domains_to_search_and_not_to_search_exclude_each_other(connect: Connect, upstream: Upstream):
    async with connect() as client:
        told = await client.call_tool("ask", ASK | {"web_domains": ["python.org", "-example.com"]})
    assert "web_domains has some with a - and some without" in text_of(told)
    assert not upstream.posts(PATH)


async def test_more_searches_are_set_aside_with_more(connect: Connect, upstream: Upstream):
    async with connect() as client:
        few = await client.call_tool("ask", ASK | {"max_searches": 1, "max_output_tokens": 500})
        many = await client.call_tool("ask", ASK | {"max_searches": 9, "max_output_tokens": 500})
    most = [each.structured_content["cost_estimate_usd"]["most"] for each in (few, many)]
    assert most[1] >= most[0] + 8 * 0.007
    assert search(upstream)["max_uses"] == 9


async def test_searches_that_were_asked_for_are_refused_rather_than_made_fewer(connect: Connect, upstream: Upstream):
    async with connect() as client:
        told = await client.call_tool("ask", ASK | {"max_searches": 9, "max_cost_usd": 0.03})
    assert text_of(told).startswith("over_budget: ")
    assert not upstream.posts(PATH)


async def test_a_tier_is_sent_and_what_was_served_is_told(connect: Connect, upstream: Upstream):
    async with connect() as client:
        usual = (await client.call_tool("ask", ASK | {"max_output_tokens": 300})).structured_content
        result = await client.call_tool("ask", ASK | {"max_output_tokens": 300, "service_tier": "flex"})
        other = await client.call_tool("ask", {**ASK, "model": "moonshotai/kimi-k3", "service_tier": "flex"})
    answer = result.structured_content
    assert upstream.posts(PATH)[1].body["service_tier"] == "flex"
    assert answer["service_tier"] == "flex"
    assert answer["cost_usd"] < usual["cost_usd"]
    assert "Asked for flex, served as flex." in answer["notes"]
    assert "Asked for flex, served as default." in other.structured_content["notes"]


async def test_a_routers_choice_is_told(connect: Connect, upstream: Upstream):
    async with connect() as client:
        routed = (await client.call_tool("ask", ASK | {"model": "openrouter/auto"})).structured_content
        direct = (await client.call_tool("ask", ASK)).structured_content
    assert any(note.startswith("openrouter/auto chose ") and "auto:" in note for note in routed["notes"])
    assert not any("chose" in note for note in direct.get("notes", []))
    assert upstream.posts(PATH)[0].headers["x-openrouter-metadata"] == "enabled"


async def test_nothing_dearer_answers_than_the_operator_allows(connect: Connect, upstream: Upstream):
    dear = {"model": "anthropic/claude-opus-5", "prompt": "Hello?"}
    async with connect(OR_MCP_MAX_PRICE="1,8") as client:
        answer = await client.call_tool("ask", ASK)
        refused = await client.call_tool("ask", dear)
        embedded = {"model": "openai/text-embedding-3-small", "input": ["a", "b"]}
        await client.call_tool("embed", embedded)
        shown = await client.call_tool("endpoints", {"model": dear["model"]})
    assert not answer.is_error
    sent = [upstream.posts(PATH)[0], upstream.posts("/embeddings")[0]]
    assert [post.body["provider"]["max_price"] for post in sent] == [{"prompt": "1", "completion": "8"}] * 2
    assert text_of(refused).startswith("model_unavailable: ")
    assert "OR_MCP_MAX_PRICE=1,8" in text_of(refused)
    assert "This server's rules leave 0 of these" in text_of(shown)


@pytest.mark.parametrize("preset", ["", "general-budget"])
async def test_a_fusion_and_an_order_of_documents_obey_the_operators_price_too(
    connect: Connect, upstream: Upstream, preset: str
):
    async with connect(OR_MCP_MAX_PRICE="4,30") as client:
        fused = await client.call_tool("fuse", {"prompt": "Tabs or spaces?", "web": False, "preset": preset})
        await client.call_tool("rerank", {"model": "cohere/rerank-v3.5", "query": "a", "documents": ["a", "b"]})
    posts = [*upstream.posts("/responses"), *upstream.posts("/rerank")]
    assert len(posts) == 2
    assert [post.body["provider"]["max_price"] for post in posts] == [{"prompt": "4", "completion": "30"}] * 2
    # Whoever of the panel is dearer is missing, and that is told.
    assert not fused.is_error or "OR_MCP_MAX_PRICE=4,30" in text_of(fused)


async def test_a_fusion_takes_no_tier_and_says_so(connect: Connect, upstream: Upstream):
    async with connect() as client:
        told = text_of(await client.call_tool("fuse", {"prompt": "Tabs or spaces?", "service_tier": "flex"}))
    assert told.startswith("invalid_request: There is no argument 'service_tier'")
    assert not upstream.posts("/responses")


async def test_a_price_that_was_worked_out_is_never_above_the_operators(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_MAX_PRICE="0.5,2") as client:
        await client.call_tool("ask", {"model": "openrouter/auto", "prompt": "Hello?", "max_cost_usd": 1})
    most = upstream.posts(PATH)[0].body["provider"]["max_price"]
    assert float(most["prompt"]) <= 0.5
    assert float(most["completion"]) <= 2


@pytest.mark.parametrize("value", ["3", "3,15,4", "a,b", "-1,2"])
async def test_a_price_that_is_none_stops_the_start(connect: Connect, value: str):
    with pytest.raises(Exception, match="OR_MCP_MAX_PRICE holds"):
        async with connect(OR_MCP_MAX_PRICE=value):
            pass
