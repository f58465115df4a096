"""What upstream tells of money and tokens: read whole, and believed only as far as it can be true."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from or_mcp.openrouter.wire.account import GenerationReply, KeyReply
from or_mcp.openrouter.wire.embeddings import EmbeddingsReply
from or_mcp.openrouter.wire.models import Model
from or_mcp.openrouter.wire.routing import MaxPrice, Provider, WebParameters, WebTool
from or_mcp.openrouter.wire.usage import Usage
from or_mcp.vectors.bill import Bill
from tests.conftest import Connect, Upstream
from tests.openrouter.test_client import ASK
from tests.oracle import DOCUMENT, request_problems

SCHEMAS: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))["components"]["schemas"]
MONEY = {"cost": 0.0015, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.03}}
INCREDIBLE = [
    "-5",
    "-0.000001",
    "100000",
    "1e7",
    "1e308",
    '"1e-400"',
    "1e9999999",
    "NaN",
    "Infinity",
    '"x"',
    "[]",
    "true",
]


def priced(**pricing: Any) -> Model:
    return Model.model_validate({"id": "a/b", "pricing": pricing})


@pytest.mark.parametrize("told", INCREDIBLE)
def test_a_cost_that_cannot_be_true_is_unknown(told: str):
    usage = Usage.model_validate_json(f'{{"cost": {told}, "cost_details": {{"upstream_inference_cost": {told}}}}}')
    assert usage.cost is None
    assert usage.cost_details is not None
    assert usage.cost_details.upstream_inference_cost is None
    reply = GenerationReply.model_validate_json(f'{{"data": {{"id": "gen-1", "total_cost": {told}}}}}')
    assert reply.data.total_cost is None


@pytest.mark.parametrize("told", ["0", "0.0011744000000000001", "4.2e-8", '"99999.99"', "-0.0"])
def test_a_cost_that_can_be_true_is_kept_exactly(told: str):
    assert Usage.model_validate_json(f'{{"cost": {told}}}').cost == Decimal(told.strip('"'))


@pytest.mark.parametrize("cost", [-5, 1e7, 1e308])
async def test_a_run_with_a_cost_that_cannot_be_true_is_of_unknown_cost(
    connect: Connect, upstream: Upstream, cost: Any
):
    body = {
        "id": "gen-1",
        "model": "openai/gpt-5-mini",
        "choices": [{"message": {"content": "Paid for."}, "finish_reason": "stop"}],
        "usage": {"cost": cost},
    }
    upstream.script({"path": "/chat/completions", "status": 200, "body": body})
    async with connect() as client:
        told = (await client.call_tool("ask", {"model": "openai/gpt-5-mini", "prompt": "?"})).structured_content
        kept = (await client.call_tool("run", {"run_id": told["run_id"]})).structured_content
    assert (told["text"], told["cost_usd"]) == ("Paid for.", None)
    assert (kept["text"], kept["cost_usd"]) == ("Paid for.", None)


def test_an_account_may_be_overdrawn_and_may_be_rich():
    key = KeyReply.model_validate_json(
        '{"data": {"limit_remaining": -0.5, "usage": 250000, "limit": "NaN", "byok_usage": 3, "usage_daily": 1e300}}'
    ).data
    assert (key.limit_remaining, key.usage, key.byok_usage) == (Decimal("-0.5"), Decimal(250000), Decimal(3))
    assert (key.limit, key.usage_daily) == (None, None)


@pytest.mark.parametrize("told", ["1e999999", "-1e999999", "1e-999999", "NaN"])
def test_a_price_that_is_none_is_unknown_and_never_fills_a_page(told: str):
    model = priced(prompt=told)
    assert model.pricing is not None
    assert model.pricing.prompt is None
    assert len(model.model_dump_json()) < 3000


def test_every_price_upstream_knows_is_read_with_what_replaces_it():
    base = {name for name in SCHEMAS["PublicPricing"]["properties"] if name not in ("discount", "overrides")}
    replaced = {name for name in SCHEMAS["PricingOverride"]["properties"] if not name.startswith(("min_", "utc_"))}
    told = {name: f"0.00{place}" for place, name in enumerate(sorted(base), 1)}
    pricing = priced(**told, overrides=[{"min_prompt_tokens": 10, **dict.fromkeys(replaced, "7")}]).pricing
    assert pricing is not None
    assert {name: getattr(pricing, name) for name in base} == {name: Decimal(price) for name, price in told.items()}
    assert {getattr(pricing.overrides[0], name) for name in replaced} == {Decimal(7)}


@pytest.mark.parametrize(
    "names",
    [
        ("input_tokens", "output_tokens", "server_tool_use_details"),
        ("prompt_tokens", "completion_tokens", "server_tool_use"),
    ],
)
def test_usage_is_the_same_by_the_names_of_either_path(names: tuple[str, str, str]):
    read, written, tools = names
    told = {
        read: 9,
        written: 5,
        f"{read}_details": {"cached_tokens": 1, "cache_write_tokens": 2},
        f"{written}_details": {"reasoning_tokens": 3},
        tools: {"web_search_requests": 4},
    }
    usage = Usage.model_validate(told)
    assert (usage.input_tokens, usage.output_tokens) == (9, 5)
    assert usage.input_tokens_details is not None
    assert (usage.input_tokens_details.cached_tokens, usage.input_tokens_details.cache_write_tokens) == (1, 2)
    assert usage.output_tokens_details is not None
    assert usage.output_tokens_details.reasoning_tokens == 3
    assert usage.server_tool_use_details is not None
    assert usage.server_tool_use_details.web_search_requests == 4


def test_counts_that_are_none_are_unknown():
    usage = Usage.model_validate_json('{"input_tokens": -1, "output_tokens": 1e300, "total_tokens": "many"}')
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (None, None, None)


def test_what_the_provider_bills_is_told_only_of_a_key_of_ones_own():
    assert Usage.model_validate(MONEY).provider_cost == Decimal("0.03")
    assert Usage.model_validate(MONEY | {"is_byok": False}).provider_cost is None
    assert Usage.model_validate({"is_byok": True}).provider_cost is None


def test_what_the_provider_bills_for_several_requests_is_added_up():
    spending = Bill()
    for usage in (MONEY, {"cost": 1}, MONEY):
        spending.sent()
        spending.answered(EmbeddingsReply.model_validate({"data": [], "usage": usage}))
    assert (spending.cost_usd, spending.provider_cost_usd) == (Decimal("1.003"), Decimal("0.06"))


def test_what_is_asked_of_providers_and_of_the_web_is_what_upstream_documents():
    search = WebTool(
        type="openrouter:web_search",
        parameters=WebParameters(max_uses=3, engine="exa", max_results=5, max_characters=2000, max_total_results=15),
    )
    provider = Provider(order=("anthropic",), max_price=MaxPrice(prompt=Decimal("1E-7"), completion=Decimal(2)))
    request = ASK.model_copy(update={"provider": provider, "tools": (search.body(),)})
    body = request.body()
    assert body["provider"]["max_price"] == {"prompt": "0.0000001", "completion": "2"}
    assert not request_problems("/chat/completions", body)
    known = SCHEMAS["WebSearchServerToolConfig"]["properties"] | SCHEMAS["WebFetchServerToolConfig"]["properties"]
    assert set(WebParameters.model_fields) <= set(known)
