"""Bills follow the rows: caches, media, searches, units of rerankers, tiers, and the caller's own keys."""

import base64
import struct
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from or_mcp.simulator import RowError, Simulator
from or_mcp.simulator.money.pricing import Tokens, bill
from tests.simulator.calls import Caller, ask, chat

LONG = "The ledger of the harbour lists every ship that came in and what it paid. " * 80
SEARCH = {"type": "openrouter:web_search"}
BYOK = "sk-or-byok-1"


def spent(reply: dict[str, Any]) -> Decimal:
    return Decimal(str(reply["usage"]["cost"]))


async def prices_of(caller: Caller, model: str) -> dict[str, Any]:
    return (await caller.data(f"/model/{model}"))["pricing"]


def by_hand(pricing: dict[str, Any], usage: dict[str, Any]) -> Decimal:
    details = usage["prompt_tokens_details"]
    read, written = details["cached_tokens"], details["cache_write_tokens"]
    total = (usage["prompt_tokens"] - read - written) * Decimal(pricing["prompt"])
    total += read * Decimal(pricing["input_cache_read"]) + written * Decimal(pricing.get("input_cache_write", "0"))
    return total + usage["completion_tokens"] * Decimal(pricing["completion"])


@pytest.mark.parametrize("model", ["openai/gpt-5.6-luna", "deepseek/deepseek-v3.2"])
async def test_what_was_sent_before_is_read_from_a_cache_by_models_that_cache_unasked(caller: Caller, model: str):
    first = chat(LONG, model)
    said = (await caller.result("/chat/completions", first))["choices"][0]["message"]["content"]
    turns = [*first["messages"], {"role": "assistant", "content": said}, {"role": "user", "content": "And who paid?"}]
    fresh = (await caller.result("/chat/completions", chat(LONG + LONG, model)))["usage"]
    usage = (await caller.result("/chat/completions", first | {"messages": turns}))["usage"]
    assert fresh["prompt_tokens_details"]["cached_tokens"] == 0
    assert usage["prompt_tokens_details"]["cached_tokens"] > 1024
    assert usage["prompt_tokens"] > usage["prompt_tokens_details"]["cached_tokens"]
    assert Decimal(str(usage["cost"])) == by_hand(await prices_of(caller, model), usage)


async def test_gpt_5_6_charges_the_writing_of_a_prompt_that_nobody_asked_it_to_keep(caller: Caller):
    usage = (await caller.result("/chat/completions", chat(LONG, "openai/gpt-5.6-sol")))["usage"]
    assert usage["prompt_tokens_details"]["cache_write_tokens"] > 1024
    pricing = await prices_of(caller, "openai/gpt-5.6-sol")
    assert Decimal(pricing["input_cache_write"]) == Decimal(pricing["prompt"]) * Decimal("1.25")
    assert Decimal(str(usage["cost"])) == by_hand(pricing, usage)
    short = (await caller.result("/chat/completions", chat(model="openai/gpt-5.6-sol")))["usage"]
    assert short["prompt_tokens_details"]["cache_write_tokens"] == 0


@pytest.mark.parametrize("ttl", ["5m", "1h"])
async def test_claude_caches_what_is_marked_and_an_hour_costs_more(caller: Caller, ttl: str):
    model = "anthropic/claude-sonnet-5"
    plain = (await caller.result("/chat/completions", chat(LONG, model)))["usage"]
    assert plain["prompt_tokens_details"]["cache_write_tokens"] == 0
    marked = chat(LONG, model, cache_control={"type": "ephemeral", "ttl": ttl})
    written = (await caller.result("/chat/completions", marked))["usage"]
    read = (await caller.result("/chat/completions", marked))["usage"]
    assert written["prompt_tokens_details"]["cache_write_tokens"] == read["prompt_tokens_details"]["cached_tokens"] > 0
    pricing = await prices_of(caller, model)
    dearer = Decimal(pricing["input_cache_write" if ttl == "5m" else "input_cache_write_1h"]) - Decimal(
        pricing["prompt"]
    )
    more = written["prompt_tokens_details"]["cache_write_tokens"] * dearer
    cost = Decimal(str(written["cost_details"]["upstream_inference_prompt_cost"]))
    assert cost == Decimal(str(plain["cost_details"]["upstream_inference_prompt_cost"])) + more
    assert read["cost"] < plain["cost"] < written["cost"]


async def test_an_hour_costs_twice_the_prompt_where_its_price_is_not_listed():
    prices = {"prompt": "0.001", "completion": "0", "input_cache_read": "0.0001", "input_cache_write": "0.00125"}
    body = chat(LONG, "anthropic/one", cache_control={"type": "ephemeral", "ttl": "1h"})
    for rule in ({}, {"greedy": True}):
        simulator = Simulator(models=[{"id": "anthropic/one", "pricing": prices}], faults=[rule], credit="1000")
        async with simulator.running() as base_url, Caller.connected(base_url) as caller:
            usage = (await caller.result("/chat/completions", body))["usage"]
        written = usage["prompt_tokens_details"]["cache_write_tokens"]
        rest = usage["prompt_tokens"] - written
        assert spent({"usage": usage}) == written * Decimal("0.002") + rest * Decimal("0.001")


async def test_a_marked_block_is_cached_and_what_follows_it_is_not(caller: Caller):
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    body = {"model": "anthropic/claude-haiku-4.5", "max_tokens": 300, "system": system}
    first = await caller.result("/messages", body | {"messages": [{"role": "user", "content": LONG + "One?"}]})
    second = await caller.result("/messages", body | {"messages": [{"role": "user", "content": "Two?"}]})
    assert first["usage"]["cache_creation_input_tokens"] == second["usage"]["cache_read_input_tokens"] > 1024
    assert first["usage"]["input_tokens"] > 1024
    assert second["usage"]["cache_creation_input_tokens"] == 0


async def test_caches_belong_to_one_key_and_a_generation_tells_what_they_saved(caller: Caller):
    body = chat(LONG, "openai/gpt-5.6-luna")
    await caller.result("/chat/completions", body)
    other = await caller.post("/chat/completions", body, authorization="Bearer sk-or-v1-other")
    assert other.json()["usage"]["prompt_tokens_details"]["cached_tokens"] == 0
    reply = await caller.result("/chat/completions", body)
    record = await caller.data("/generation", id=reply["id"])
    assert record["native_tokens_cached"] == reply["usage"]["prompt_tokens_details"]["cached_tokens"] > 0
    assert record["cache_discount"] > 0


async def test_responses_tell_cached_tokens_too(caller: Caller):
    first, second = [(await caller.result("/responses", ask(LONG)))["usage"] for _ in range(2)]
    assert first["input_tokens_details"]["cached_tokens"] == 0
    assert second["input_tokens_details"]["cached_tokens"] == first["input_tokens_details"]["cache_write_tokens"] > 0


@pytest.mark.parametrize(
    ("model", "unit"),
    [("cohere/rerank-v3.5", "0.001"), ("cohere/rerank-4-pro", "0.0025"), ("cohere/rerank-4-fast", "0.002")],
)
async def test_a_reranker_that_lists_nothing_bills_by_hundred_chunks_of_500_tokens(
    caller: Caller, model: str, unit: str
):
    assert await prices_of(caller, model) == {"prompt": "0", "completion": "0"}
    for documents, units in ((["short"] * 100, 1), (["short"] * 101, 2), (["w" * 4800] * 60, 2)):
        reply = await caller.result("/rerank", {"model": model, "query": "q", "documents": documents})
        assert reply["usage"]["search_units"] == units
        assert spent(reply) == units * Decimal(unit)


async def test_a_reranker_by_tokens_bills_every_pair(caller: Caller):
    body = {"model": "qwen/qwen3-reranker-8b", "query": "q" * 40, "documents": ["d" * 400] * 3}
    usage = (await caller.result("/rerank", body))["usage"]
    assert usage["total_tokens"] == 3 * (10 + 100 + 100)
    assert Decimal(str(usage["cost"])) == usage["total_tokens"] * Decimal("0.2") / 1_000_000
    hidden = (await caller.result("/rerank", body | {"model": "voyageai/rerank-2.5"}))["usage"]
    assert hidden["cost"] > 0
    free = await caller.result("/rerank", body | {"model": "nvidia/llama-nemotron-rerank-vl-1b-v2:free"})
    assert free["usage"]["cost"] == 0


async def test_rows_of_vectors_list_parameters_of_words_as_upstream_does(caller: Caller):
    rows = await caller.data("/embeddings/models")
    assert all("temperature" in row["supported_parameters"] for row in rows)
    assert not any("tools" in row["supported_parameters"] for row in rows)


@pytest.mark.parametrize(
    ("model", "tool", "price"),
    [
        ("openai/gpt-5.6-luna", SEARCH, "0.01"),
        ("openai/gpt-5.6-luna", SEARCH | {"parameters": {"engine": "exa"}}, "0.007"),
        ("z-ai/glm-5.2", SEARCH, "0.007"),
        ("z-ai/glm-5.2", SEARCH | {"parameters": {"max_results": 20}}, "0.017"),
        ("z-ai/glm-5.2", SEARCH | {"parameters": {"mode": "deep-reasoning"}}, "0.015"),
        ("z-ai/glm-5.2", SEARCH | {"parameters": {"engine": "parallel", "mode": "fast"}}, "0.001"),
        ("z-ai/glm-5.2", SEARCH | {"parameters": {"engine": "parallel", "max_results": 12}}, "0.007"),
        ("z-ai/glm-5.2", SEARCH | {"parameters": {"engine": "perplexity"}}, "0.005"),
    ],
)
async def test_a_search_costs_what_its_engine_charges(caller: Caller, model: str, tool: dict[str, Any], price: str):
    usage = (await caller.result("/chat/completions", chat(model=model, tools=[tool])))["usage"]
    assert Decimal(str(usage["cost_details"]["server_tool_cost"])) == Decimal(price)


async def test_pictures_and_sound_that_are_sent_cost_what_the_row_says():
    row = {"id": "acme/omni", "architecture": {"input_modalities": ["text", "image", "audio"]}}
    prices = {"prompt": "0.000001", "completion": "0.000001", "image": "0.02", "audio": "0.00004"}
    sound = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<IHHIIHH4sI", 16, 1, 1, 8000, 8000, 1, 8, b"data", 480_000)
    sound += bytes(480_000)
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "input_audio", "input_audio": {"data": base64.b64encode(sound).decode(), "format": "wav"}},
    ]
    simulator = Simulator(models=[row | {"pricing": prices}])
    async with simulator.running() as base_url, Caller.connected(base_url) as caller:
        body = {"model": "acme/omni", "messages": [{"role": "user", "content": parts}]}
        usage = (await caller.result("/chat/completions", body))["usage"]
    audio = usage["prompt_tokens_details"]["audio_tokens"]
    assert audio == 60 * 32
    prompt = (usage["prompt_tokens"] - audio) * Decimal("0.000001") + audio * Decimal("0.00004") + Decimal("0.02")
    assert Decimal(str(usage["cost_details"]["upstream_inference_prompt_cost"])) == prompt


async def test_with_a_key_of_ones_own_at_the_provider_only_the_fee_is_charged(simulator: Simulator, caller: Caller):
    whole = (await caller.result("/chat/completions", chat()))["usage"]
    headers = {"authorization": f"Bearer {BYOK}"}
    reply = (await caller.post("/chat/completions", chat(), **headers)).json()
    assert (whole["is_byok"], reply["usage"]["is_byok"]) == (False, True)
    assert reply["usage"]["cost_details"]["upstream_inference_cost"] == whole["cost"]
    assert spent(reply) == Decimal(str(whole["cost"])) / 20
    row = await caller.data("/key", BYOK)
    assert (row["usage"], row["byok_usage"]) == (reply["usage"]["cost"], whole["cost"])
    record = await caller.data("/generation", BYOK, id=reply["id"])
    assert (record["is_byok"], record["upstream_inference_cost"]) == (True, whole["cost"])
    simulator.script({"byok": True})
    for path, body in (
        ("/responses", ask()),
        ("/embeddings", {"model": "openai/text-embedding-3-small", "input": "a"}),
    ):
        assert (await caller.result(path, body))["usage"]["is_byok"] is True


@pytest.mark.parametrize(("tier", "told", "factor"), [("flex", "flex", "0.5"), ("fast", "priority", "2")])
async def test_a_service_tier_has_its_own_price_where_there_is_one(caller: Caller, tier: str, told: str, factor: str):
    plain = await caller.result("/chat/completions", chat())
    tiered = await caller.result("/chat/completions", chat(service_tier=tier))
    assert (plain["service_tier"], tiered["service_tier"]) == ("default", told)
    assert spent(tiered) == spent(plain) * Decimal(factor)
    other = await caller.result("/responses", ask(model="z-ai/glm-5.2", service_tier=tier))
    assert other["service_tier"] == "default"


async def test_max_price_excludes_what_is_dearer_and_refuses_when_nothing_is_left(caller: Caller):
    model = "anthropic/claude-opus-5"
    reply = await caller.result("/chat/completions", chat(model=model, provider={"max_price": {"prompt": "5"}}))
    assert reply["provider"] == "Anthropic"
    refused = await caller.post("/chat/completions", chat(model=model, provider={"max_price": {"completion": "24.9"}}))
    error = refused.json()["error"]
    assert (refused.status_code, error["availability"]["code"]) == (404, "constraint_filtered")
    assert error["availability"]["excluded_by"] == ["max_price"]
    assert error["availability"]["constraint"]["field"] == "provider.max_price.completion"


async def test_a_router_picks_a_model_within_max_price(simulator: Simulator, caller: Caller):
    limit = {"max_price": {"prompt": "0.1", "completion": "0.4"}}
    reply = await caller.result("/chat/completions", chat(model="openrouter/auto", provider=limit))
    pricing = await prices_of(caller, reply["model"])
    assert 0 < Decimal(pricing["prompt"]) * 1_000_000 <= Decimal("0.1")
    simulator.script({"dearest": True})
    dear = await caller.result("/chat/completions", chat(model="openrouter/auto", provider=limit))
    assert Decimal((await prices_of(caller, dear["model"]))["prompt"]) >= Decimal(pricing["prompt"])
    without = await caller.result("/chat/completions", chat(model="openrouter/auto"))
    assert without["model"] == "openai/gpt-5.4-pro"


async def test_a_catalogue_can_be_given(caller: Caller):
    listed = {"data": [{"id": "acme/one", "pricing": {"prompt": "0.1", "completion": "0.2", "request": "0.5"}}]}
    simulator = Simulator(models=listed)
    async with simulator.running() as base_url, Caller.connected(base_url) as other:
        assert [row["id"] for row in await other.data("/models")] == ["acme/one"]
        usage = (await other.result("/chat/completions", chat("word", "acme/one", max_tokens=5)))["usage"]
        whole = usage["prompt_tokens"] * Decimal("0.1") + usage["completion_tokens"] * Decimal("0.2") + Decimal("0.5")
        assert Decimal(str(usage["cost"])) == whole
        assert (await other.post("/chat/completions", chat())).status_code == 404
    assert (await caller.post("/chat/completions", chat(model="acme/one"))).status_code == 404


BAD_ROWS: list[tuple[Any, str]] = [
    ("x", "expected a list of model rows"),
    ([{"pricing": {}}], "row 0: expected"),
    ([{"id": "a/b"}], "a/b: expected an object of prices"),
    ([{"id": "a/b", "pricing": {"prompt": "1"}, "x_simulated": {"unit_price": "much"}}], "a/b: expected a price"),
    ([{"id": "~a/b", "pricing": {"prompt": "1"}, "alias_target": {"slug": "a/c"}}], "it stands for a/c"),
]


@pytest.mark.parametrize(("rows", "complaint"), BAD_ROWS)
def test_a_catalogue_that_makes_no_sense_is_refused_by_row(rows: Any, complaint: str):
    with pytest.raises(RowError, match=complaint):
        Simulator(models=rows)


async def test_nothing_is_written_to_a_cache_that_is_to_keep_only_what_is_marked(simulator: Simulator, caller: Caller):
    explicit = {"prompt_cache_options": {"mode": "explicit"}}
    plain = chat(LONG, "openai/gpt-5.6-luna", **explicit)
    marked = [{"type": "text", "text": LONG, "prompt_cache_breakpoint": {"mode": "explicit"}}]
    for rule in ({}, {"greedy": True}):
        simulator.reset()
        simulator.script(rule)
        usage = (await caller.result("/chat/completions", plain))["usage"]
        assert usage["prompt_tokens_details"]["cache_write_tokens"] == 0
        kept = plain | {"messages": [{"role": "user", "content": marked}]}
        usage = (await caller.result("/chat/completions", kept))["usage"]
        assert usage["prompt_tokens_details"]["cache_write_tokens"] > 1024


async def test_gemini_charges_its_cache_only_where_it_was_asked_to_write(caller: Caller):
    body = chat(LONG, "google/gemini-3.1-pro-preview")
    unasked = (await caller.result("/chat/completions", body))["usage"]["prompt_tokens_details"]
    read = (await caller.result("/chat/completions", body))["usage"]["prompt_tokens_details"]
    assert unasked["cache_write_tokens"] == 0 < read["cached_tokens"]
    asked = chat(LONG + LONG, body["model"], cache_control={"type": "ephemeral"})
    details = (await caller.result("/chat/completions", asked))["usage"]["prompt_tokens_details"]
    assert details["cache_write_tokens"] > 1024


LISTENER: dict[str, Any] = {
    "id": "acme/listener",
    "pricing": {
        "prompt": "0.001",
        "completion": "0",
        "audio": "0.01",
        "input_cache_read": "0.0001",
        "input_audio_cache": "0.002",
        "image_token": "0.003",
    },
    "architecture": {"input_modalities": ["text", "image", "audio"], "output_modalities": ["text"]},
}


async def test_sound_read_from_a_cache_and_the_tokens_of_pictures_have_prices_of_their_own():
    seconds = 40
    sound = base64.b64encode(bytes(16_000 * seconds)).decode()
    heard = {"type": "input_audio", "input_audio": {"data": sound, "format": "mp3"}}
    body = chat(model="acme/listener") | {"messages": [{"role": "user", "content": [heard]}]}
    seen = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGFyYm91cg=="}}
    shown = chat(model="acme/listener") | {"messages": [{"role": "user", "content": [seen]}]}
    simulator = Simulator(models=[LISTENER])
    async with simulator.running() as base_url, Caller.connected(base_url) as caller:
        first, again = [(await caller.result("/chat/completions", body))["usage"] for _ in range(2)]
        picture = (await caller.result("/chat/completions", shown))["usage"]
    tokens = first["prompt_tokens_details"]["audio_tokens"]
    rest = first["prompt_tokens"] - tokens
    assert Decimal(str(first["cost"])) == tokens * Decimal("0.01") + rest * Decimal("0.001")
    assert again["prompt_tokens_details"]["cached_tokens"] == first["prompt_tokens"]
    assert Decimal(str(again["cost"])) == tokens * Decimal("0.002") + rest * Decimal("0.0001")
    assert Decimal(str(picture["cost"])) == 258 * Decimal("0.003") + (picture["prompt_tokens"] - 258) * Decimal("0.001")


async def test_a_picture_priced_by_the_piece_is_billed_by_the_piece(caller: Caller):
    drawn = await caller.result("/images", {"model": "bytedance-seed/seedream-4.5", "prompt": "A harbour", "n": 3})
    assert (len(drawn["data"]), drawn["usage"]["cost"]) == (3, 0.12)


@pytest.mark.parametrize(("day", "price"), [("28", 1), ("30", 5)])
def test_a_price_of_some_days_is_charged_on_those(day: str, price: int):
    weekend = {"utc_days": ["saturday", "sunday"], "prompt": "1"}
    at = datetime.fromisoformat(f"2026-11-{day}T12:00:00+00:00")
    assert bill({"prompt": "5", "overrides": [weekend]}, Tokens(prompt=1), at=at).total == price
