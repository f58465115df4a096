"""What `endpoints` tells, with and without a key, online and offline."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Connect, Upstream, text_of

OPUS = "anthropic/claude-opus-5"
OPEN = "openai/gpt-oss-120b"
ORDERS: dict[str, Callable[[dict[str, Any]], float]] = {
    "price": lambda row: row["input_price"] + 3 * row["output_price"],
    "latency": lambda row: row["latency_p50_ms"],
    "throughput": lambda row: -row["throughput_p50"],
    "uptime": lambda row: -row["uptime_30m"] if row["uptime_30m"] is not None else math.inf,
}


async def test_who_serves_a_model_is_told_in_full(connect: Connect, upstream: Upstream):
    async with connect() as client:
        result = await client.call_tool("endpoints", {"model": OPEN})
    told = result.structured_content
    assert told["model"] == OPEN
    assert told["total"] == len(told["endpoints"]) > 2
    first = told["endpoints"][0]
    assert first["input_price"] < 5
    assert first["context"] > 1000
    assert {row["zdr"] for row in told["endpoints"]} <= {True, False}
    assert all(row["latency_p50_ms"] and row["throughput_p50"] for row in told["endpoints"])
    assert {"tools", "temperature"} <= set(told["supported_parameters"])
    assert {row["provider"] for row in told["providers"]} == {row["provider"] for row in told["endpoints"]}
    assert all(row["privacy_policy"].startswith("https://") for row in told["providers"])
    assert not upstream.posts()
    text = text_of(result)
    assert text.startswith(f"{OPEN}: {told['total']} endpoints")
    assert all(row["tag"] in text for row in told["endpoints"])
    assert "privacy <https://" in text


@pytest.mark.parametrize("sort", ORDERS)
async def test_the_best_stand_first(connect: Connect, sort: str):
    async with connect() as client:
        rows = (await client.call_tool("endpoints", {"model": OPEN, "sort": sort})).structured_content["endpoints"]
    values = [ORDERS[sort](row) for row in rows]
    assert len(set(values)) > 1
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (
            {"model": "openrouter/auto"},
            "openrouter/auto picks another model for each request; nobody serves it itself.",
        ),
        ({"model": OPUS}, "2 of 3 endpoints keep nothing; OR_MCP_ZDR would leave only those."),
        ({"model": OPUS, "zdr": True}, "2 of 3 endpoints keep nothing; OR_MCP_ZDR would leave only those."),
        ({"model": "perplexity/sonar-pro", "zdr": True}, "0 of 2 endpoints keep nothing; OR_MCP_ZDR would leave"),
    ],
)
async def test_what_zero_data_retention_would_leave_is_said(connect: Connect, arguments: dict[str, Any], note: str):
    async with connect() as client:
        told = (await client.call_tool("endpoints", arguments)).structured_content
    assert told["notes"][0].startswith(note)


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({"OR_MCP_ZDR": "on"}, "leave 2 of these 3 endpoints."),
        ({"OR_MCP_PROVIDERS_ONLY": "Anthropic"}, "leave 1 of these 3 endpoints."),
        ({"OR_MCP_ZDR": "on", "OR_MCP_PROVIDERS_IGNORE": "google-vertex"}, "leave 1 of these 3 endpoints."),
        ({"OR_MCP_DATA_COLLECTION": "deny"}, "(which of them train on prompts is not listed)."),
    ],
)
async def test_what_the_operators_rules_leave_is_said(connect: Connect, settings: dict[str, str], left: str):
    async with connect(**settings) as client:
        told = (await client.call_tool("endpoints", {"model": OPUS})).structured_content
    assert told["notes"][-1].startswith("This server's rules leave")
    assert told["notes"][-1].endswith(left)


async def test_a_limit_shows_fewer_and_counts_all(connect: Connect):
    async with connect() as client:
        told = (await client.call_tool("endpoints", {"model": OPEN, "limit": 1})).structured_content
    assert len(told["endpoints"]) == len(told["providers"]) == 1
    assert told["total"] > 1


async def test_an_alias_leads_to_its_model_and_a_variant_to_its_own(connect: Connect):
    async with connect() as client:
        alias = await client.call_tool("endpoints", {"model": "~anthropic/claude-opus-latest"})
        nitro = await client.call_tool("endpoints", {"model": f"{OPUS}:nitro"})
    assert alias.structured_content["endpoints"]
    assert nitro.structured_content["model"] == OPUS


async def test_only_endpoints_that_keep_nothing(connect: Connect):
    async with connect() as client:
        every = (await client.call_tool("endpoints", {"model": OPEN})).structured_content
        kept = (await client.call_tool("endpoints", {"model": OPEN, "zdr": True})).structured_content
        all_models = await client.call_tool("endpoints", {"zdr": True, "limit": 100})
    assert [row["tag"] for row in kept["endpoints"]] == [row["tag"] for row in every["endpoints"] if row["zdr"]]
    assert 0 < kept["total"] < every["total"]
    assert any("endpoints keep nothing; OR_MCP_ZDR would leave only those" in note for note in every["notes"])
    told = all_models.structured_content
    assert "model" not in told
    assert all(row["zdr"] and row["model"] for row in told["endpoints"])
    assert told["total"] >= len(told["endpoints"]) > 50
    assert text_of(all_models).startswith("ZDR endpoints:")
    assert told["endpoints"][0]["model"] in text_of(all_models)
    assert len(text_of(all_models)) < 48_000
    assert len(str(told)) < 48_000


async def test_without_model_and_zdr_the_model_is_missing(connect: Connect):
    async with connect() as client:
        told = text_of(await client.call_tool("endpoints", {}))
    assert told.startswith("invalid_request: model is missing")


@pytest.mark.parametrize("model", ["anthropic/claude-opus5", "claude opus 5", "nobody/nothing", "a/b/c", "§"])
async def test_an_unknown_model_is_answered_with_the_three_closest(connect: Connect, model: str):
    async with connect() as client:
        result = await client.call_tool("endpoints", {"model": model})
    told = text_of(result)
    assert told.startswith("model_unavailable: There is no model")
    closest = told.partition("fallback_models: ")[2].splitlines()[0].rstrip(".").split(", ")
    assert len(closest) == 3
    if "opus" in model:
        assert OPUS in closest


async def test_without_a_key_latency_and_throughput_are_unknown_and_that_is_said(connect: Connect, upstream: Upstream):
    async with connect(OPENROUTER_API_KEY="") as client:
        result = await client.call_tool("endpoints", {"model": OPUS, "sort": "latency"})
    told = result.structured_content
    assert told["endpoints"]
    assert all("latency_p50_ms" not in row for row in told["endpoints"])
    assert "Latency and throughput are told only with a key." in told["notes"]
    assert "? ms" in text_of(result)


async def test_what_cannot_be_read_is_said_and_the_rest_is_told(connect: Connect, upstream: Upstream):
    async with connect() as client:
        upstream.script({"path": "/endpoints/zdr", "status": 404}, {"path": "/providers", "status": 404})
        result = await client.call_tool("endpoints", {"model": OPUS})
        strict = await client.call_tool("endpoints", {"model": OPUS, "zdr": True})
    told = result.structured_content
    assert not [row for row in told["endpoints"] if "zdr" in row]
    assert "providers" not in told
    assert "Which endpoints keep nothing could not be read." in told["notes"]
    assert "ZDR ?" in text_of(result)
    assert strict.is_error


async def test_odd_rows_are_told_as_unknown_not_invented(connect: Connect, upstream: Upstream):
    odd = {"data": {"id": OPUS, "endpoints": [{"provider_name": "Somebody", "model_id": OPUS, "status": -2}]}}
    async with connect() as client:
        upstream.script({"path": f"/models/{OPUS}/endpoints", "status": 200, "body": odd})
        result = await client.call_tool("endpoints", {"model": OPUS})
    (row,) = result.structured_content["endpoints"]
    assert row["input_price"] is None
    assert not {"context", "uptime_30m", "tag", "supports"} & row.keys()
    assert row["status"] == "degraded"
    assert "Somebody (-) | depends/depends | context -, output - | - | up ? | ? ms | ? tok/s" in text_of(result)


async def test_a_hundred_rows_with_everything_in_them_still_fit_a_host(connect: Connect, upstream: Upstream):
    supports = [f"a_parameter_with_a_name_{number}" for number in range(30)]
    rows = [
        {"provider_name": f"Provider {number}", "tag": f"provider-{number}/fp8", "model_id": f"author/model-{number}"}
        | {"supported_parameters": supports, "context_length": 1_000_000, "quantization": "fp8"}
        for number in range(120)
    ]
    async with connect() as client:
        upstream.script({"path": "/endpoints/zdr", "status": 200, "body": {"data": rows}})
        result = await client.call_tool("endpoints", {"zdr": True, "limit": 100})
    told = result.structured_content
    assert told["total"] == 120
    assert len(json.dumps(told)) < 48_000
    assert len(text_of(result)) < 48_000
    assert len(told["endpoints"]) == 100 or told["notes"]


async def test_offline_the_last_answer_serves_and_then_the_failure_is_plain(connect: Connect, upstream: Upstream):
    async with connect() as client:
        await client.call_tool("endpoints", {"model": OPUS})
        upstream.script({"status": 404, "html": True})
        known = await client.call_tool("endpoints", {"model": OPUS})
        unknown = await client.call_tool("endpoints", {"model": OPEN})
    assert known.structured_content["endpoints"]
    assert unknown.is_error
    assert "Spent: nothing" in text_of(unknown)


async def test_cache_prices_discount_recent_uptime_and_tool_choice_are_told(connect: Connect):
    async with connect() as client:
        result = await client.call_tool("endpoints", {"model": "anthropic/claude-sonnet-5"})
        reduced = await client.call_tool("endpoints", {"model": "z-ai/glm-5.2"})
    row = result.structured_content["endpoints"][0]
    assert 0 < row["cache_read_price"] < row["input_price"] < row["cache_write_price"]
    assert "auto" in row["tool_choice"]
    assert f"cached {row['cache_read_price']:g}" in text_of(result)
    assert "tool_choice " in text_of(result)
    assert any(each.get("uptime_5m") for each in result.structured_content["endpoints"])
    assert all(each["discount"] == 0.1 for each in reduced.structured_content["endpoints"])
    assert "discount 10%" in text_of(reduced)
