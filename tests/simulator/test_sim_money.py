"""What is charged is what the catalogue says, and every account page agrees with it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from or_mcp.simulator import Simulator
from or_mcp.simulator.money.pricing import applicable
from tests.simulator.calls import KEY, MANAGEMENT_KEY, Caller, ask, chat, fuse

ALIAS_AND_TARGET = ("~openai/gpt-latest", "openai/gpt-5.6-sol")


async def pricing_of(caller: Caller, model: str) -> dict[str, Any]:
    return (await caller.data(f"/model/{model}"))["pricing"]


def as_decimal(value: float) -> Decimal:
    return Decimal(str(value))


@pytest.mark.parametrize(
    "model", ["openai/gpt-5.6-luna", "~anthropic/claude-haiku-latest", "google/gemma-3-27b-it:free"]
)
async def test_a_call_costs_its_tokens_at_the_listed_price(caller: Caller, model: str) -> None:
    pricing = await pricing_of(caller, model)
    usage = (await caller.result("/chat/completions", chat(model=model)))["usage"]
    prompt = usage["prompt_tokens"] * Decimal(pricing["prompt"])
    completion = usage["completion_tokens"] * Decimal(pricing["completion"])
    assert as_decimal(usage["cost"]) == prompt + completion


async def test_a_long_prompt_pays_the_override_for_the_whole_request(caller: Caller) -> None:
    pricing = await pricing_of(caller, "qwen/qwen3-max")
    for tokens, expected in ((20_000, pricing), (40_000, pricing["overrides"][0]), (140_000, pricing["overrides"][1])):
        body = chat("word " * (tokens * 4 // 5), model="qwen/qwen3-max", provider={"only": ["alibaba"]})
        usage = (await caller.result("/chat/completions", body))["usage"]
        prompt = as_decimal(usage["cost_details"]["upstream_inference_prompt_cost"])
        assert prompt == usage["prompt_tokens"] * Decimal(expected["prompt"])


async def test_discount_reasoning_request_and_search_prices_count(caller: Caller) -> None:
    pricing = await pricing_of(caller, "z-ai/glm-5.2")
    usage = (await caller.result("/chat/completions", chat(model="z-ai/glm-5.2")))["usage"]
    listed = usage["prompt_tokens"] * Decimal(pricing["prompt"])
    listed += usage["completion_tokens"] * Decimal(pricing["completion"])
    assert as_decimal(usage["cost"]) == listed * (1 - as_decimal(pricing["discount"]))
    usage = (await caller.result("/chat/completions", chat(model="perplexity/sonar-pro")))["usage"]
    assert as_decimal(usage["cost_details"]["upstream_inference_prompt_cost"]) >= Decimal("0.006")
    plain = (await caller.result("/responses", ask()))["usage"]
    searched = (await caller.result("/responses", ask(tools=[{"type": "openrouter:web_search"}])))["usage"]
    assert searched["server_tool_use_details"]["web_search_requests"] == 1
    assert searched["cost"] >= plain["cost"] + 0.007


async def test_embedding_and_rerank_are_charged(caller: Caller) -> None:
    reply = await caller.result("/embeddings", {"model": "openai/text-embedding-3-small", "input": ["x" * 400] * 3})
    assert (reply["usage"]["prompt_tokens"], reply["usage"]["cost"]) == (300, 300 * 0.02 / 1_000_000)
    reply = await caller.result("/rerank", {"model": "cohere/rerank-v3.5", "query": "a", "documents": ["b"] * 101})
    assert (reply["usage"]["search_units"], reply["usage"]["cost"]) == (2, 0.002)


async def test_key_credits_activity_and_generation_agree(caller: Caller) -> None:
    replies = [
        await caller.result("/responses", fuse()),
        await caller.result("/chat/completions", chat()),
        await caller.result("/embeddings", {"model": "openai/text-embedding-3-large", "input": "text"}),
        (await caller.stream("/responses", ask())).last,
    ]
    costs = [as_decimal(reply["usage"]["cost"]) for reply in replies]
    assert as_decimal((await caller.data("/key"))["usage"]) == sum(costs)
    credit = await caller.data("/credits", MANAGEMENT_KEY)
    assert (credit["total_credits"], as_decimal(credit["total_usage"])) == (100, sum(costs))
    rows = await caller.data("/activity", MANAGEMENT_KEY, date=datetime.now(UTC).date().isoformat())
    assert abs(sum(as_decimal(row["usage"]) for row in rows) - sum(costs)) < Decimal("1e-9")
    assert {"anthropic/claude-opus-5", "openai/gpt-5.6-sol", "google/gemini-3.1-pro-preview"} <= {
        row["model"] for row in rows
    }
    for reply, cost in zip(replies, costs, strict=True):
        record = await caller.data("/generation", id=f"resp_{reply['id']}")
        assert as_decimal(record["total_cost"]) == cost


async def test_a_generation_tells_how_the_call_was_made(caller: Caller) -> None:
    stream = await caller.stream("/responses", ask(model="openrouter/fusion", session_id="s-1"))
    record = await caller.data("/generation", id=stream.headers["x-generation-id"])
    assert (record["router"], record["model"]) == ("openrouter/fusion", "anthropic/claude-opus-5")
    assert (record["streamed"], record["cancelled"], record["session_id"]) == (True, False, "s-1")
    assert record["native_tokens_completion"] == stream.last["usage"]["output_tokens"]


async def test_a_generation_is_found_only_after_the_lag_and_only_by_its_key() -> None:
    simulator = Simulator(generation_lag_s=60)
    async with simulator.running() as base_url, Caller.connected(base_url) as caller:
        reply = await caller.result("/chat/completions", chat())
        assert (await caller.get("/generation", id=reply["id"])).status_code == 404
    async with Simulator().running() as base_url, Caller.connected(base_url) as caller:
        reply = await caller.result("/chat/completions", chat())
        assert (await caller.get("/generation", id=reply["id"])).status_code == 200
        assert (await caller.get("/generation", "sk-or-v1-other", id=reply["id"])).status_code == 404
        assert (await caller.get("/generation", id="gen-unknown")).status_code == 404


async def test_keys_have_accounts_of_their_own(caller: Caller) -> None:
    await caller.result("/chat/completions", chat())
    assert (await caller.data("/key"))["usage"] > 0
    assert (await caller.data("/key", "sk-or-v1-other"))["usage"] == 0
    assert (await caller.data("/key", MANAGEMENT_KEY))["is_management_key"]


async def test_too_little_credit_is_refused_with_what_it_would_buy(simulator: Simulator, caller: Caller) -> None:
    simulator.reset(credit="0.01")
    body = chat(model="anthropic/claude-opus-5", max_completion_tokens=4000)
    error = (await caller.post("/chat/completions", body)).json()["error"]
    assert error["code"] == 402
    assert "You requested up to 4000 tokens, but can only afford 3" in error["message"]
    body["max_completion_tokens"] = 200
    assert (await caller.post("/chat/completions", body)).status_code == 200
    # The reservation of a fusion counts every inner call at its largest.
    assert (await caller.post("/responses", fuse())).status_code == 402
    simulator.reset(credit="0")
    assert (await caller.post("/chat/completions", chat())).status_code == 402


async def test_a_key_at_its_limit_is_refused(simulator: Simulator, caller: Caller) -> None:
    simulator.reset(limit="0.0001")
    row = await caller.data("/key")
    assert (row["limit"], row["limit_remaining"], row["effective_budget"]["limit_usd"]) == (0.0001, 0.0001, 0.0001)
    body = chat(model="perplexity/sonar-pro", max_tokens=1)
    assert (await caller.post("/chat/completions", body)).status_code == 402
    simulator.reset(limit="0")
    assert (await caller.post("/chat/completions", chat())).status_code == 403


async def test_an_empty_or_failed_run_costs_nothing_but_finished_panelists(
    simulator: Simulator, caller: Caller
) -> None:
    simulator.script({"empty_completion": True})
    await caller.result("/chat/completions", chat())
    simulator.script({"error_at_event": 5})
    await caller.stream("/chat/completions", chat())
    assert (await caller.data("/key"))["usage"] == 0
    simulator.script()
    whole = await caller.stream("/responses", fuse(["z-ai/glm-5.2"]))
    total = (await caller.data("/key"))["usage"]
    simulator.script({"failed_at_event": whole.types.index("response.fusion_call.panel.completed") + 1})
    await caller.stream("/responses", fuse(["z-ai/glm-5.2"]))
    panelist = (await caller.data("/key"))["usage"] - total
    assert 0 < panelist < whole.last["usage"]["cost"]


async def test_no_key_is_ever_kept(simulator: Simulator, caller: Caller) -> None:
    await caller.result("/chat/completions", chat())
    kept = repr(simulator.requests) + repr(await caller.control("GET", "/_sim/requests"))
    assert KEY not in kept
    assert simulator.requests[0].key_fingerprint
    assert "authorization" not in simulator.requests[0].headers


def test_prices_by_the_hour_hold_within_their_window_even_over_midnight() -> None:
    night = {"utc_start": 1630, "utc_end": 30, "prompt": "1"}
    pricing = {
        "prompt": "2",
        "completion": "3",
        "overrides": [night, {"utc_start": 900, "utc_end": 1000, "prompt": "5"}],
    }
    for hour, minute, expected in (
        (16, 29, "2"),
        (16, 30, "1"),
        (23, 59, "1"),
        (0, 29, "1"),
        (0, 30, "2"),
        (9, 30, "5"),
    ):
        at = datetime(2026, 11, 21, hour, minute, tzinfo=UTC)
        assert applicable(pricing, 10, at)["prompt"] == expected
    assert pricing["overrides"] == [night, {"utc_start": 900, "utc_end": 1000, "prompt": "5"}]
