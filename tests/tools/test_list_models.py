"""What `list_models` finds and how it is told, online and offline."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.tools.list_models import freshness
from tests.conftest import Connect, Upstream, text_of

Row = dict[str, Any]
FILTERS: list[tuple[dict[str, Any], Callable[[Row], bool]]] = [
    ({"output_modality": "embeddings"}, lambda row: row["modalities"].endswith("->embeddings")),
    ({"output_modality": "rerank"}, lambda row: "rerank" in row["modalities"]),
    ({"input_modality": "audio"}, lambda row: "audio" in row["modalities"].partition("->")[0]),
    ({"supports": ["tools", "reasoning"]}, lambda row: {"tools", "reasoning"} <= set(row["supports"])),
    ({"supports": "tools"}, lambda row: "tools" in row["supports"]),
    ({"author": "anthropic"}, lambda row: row["id"].lstrip("~").startswith("anthropic/")),
    ({"max_input_price": "0.5"}, lambda row: row["input_price"] <= 0.5),
    ({"max_output_price": 1}, lambda row: row["output_price"] <= 1),
    ({"min_context": 500_000}, lambda row: row["context"] >= 500_000),
    ({"free": True}, lambda row: row["input_price"] == row["output_price"] == 0),
    ({"free": True}, lambda row: row["input_price"] is not None),
]
ORDERS: list[tuple[str, Callable[[Row], Any]]] = [
    ("newest", lambda row: row["created"]),
    ("context", lambda row: row["context"] or 0),
]


async def found(connect: Connect, **arguments: Any) -> dict[str, Any]:
    async with connect() as client:
        result = await client.call_tool("list_models", arguments)
    assert not result.is_error, text_of(result)
    assert len(text_of(result)) < 48_000
    return result.structured_content


async def test_a_row_says_what_a_choice_needs(connect: Connect):
    row = (await found(connect, query="anthropic/claude-opus-5"))["models"][0]
    assert row["id"] == "anthropic/claude-opus-5"
    assert 0 < row["input_price"] < row["output_price"]
    assert row["modalities"].endswith("->text")
    assert {"tools", "structured_outputs", "reasoning"} <= set(row["supports"])
    assert row["context"] >= row["max_output"] > 0
    assert row["created"].startswith("20")


async def test_a_page_of_twenty_stays_small_and_pages_lead_through_everything(connect: Connect):
    seen: list[str] = []
    async with connect() as client:
        cursor = ""
        while True:
            result = await client.call_tool("list_models", {"output_modality": "all", "cursor": cursor})
            told = result.structured_content
            assert len(text_of(result)) < 4000
            seen += [row["id"] for row in told["models"]]
            if "next_cursor" not in told:
                break
            cursor = told["next_cursor"]
            assert f"cursor={cursor!r}" in text_of(result)
            assert len(told["models"]) == 20
    assert len(seen) == len(set(seen)) == told["total"]


@pytest.mark.parametrize(("arguments", "holds"), FILTERS)
async def test_a_filter_leaves_only_what_fits(connect: Connect, arguments: dict[str, Any], holds: Any):
    told = await found(connect, **arguments, limit=100)
    assert told["models"]
    assert all(holds(row) for row in told["models"])


@pytest.mark.parametrize(("sort", "value"), ORDERS)
async def test_an_order_holds_from_the_first_to_the_last(connect: Connect, sort: str, value: Any):
    values = [value(row) for row in (await found(connect, sort=sort, limit=100))["models"]]
    assert len(set(values)) > 3
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("sort", ["relevance", "price", "intelligence", "coding", "agentic"])
async def test_every_order_shows_the_same_models(connect: Connect, sort: str):
    plain = await found(connect, author="anthropic", limit=100)
    ordered = await found(connect, author="anthropic", limit=100, sort=sort)
    assert {row["id"] for row in ordered["models"]} == {row["id"] for row in plain["models"]}


async def test_the_cheapest_stand_first_and_what_depends_last(connect: Connect):
    rows = (await found(connect, sort="price", limit=100))["models"]
    known = [row["input_price"] for row in rows if row["input_price"] is not None]
    assert known[0] == 0
    assert rows[-1]["input_price"] is None


async def test_a_hundred_rows_fit_a_host(connect: Connect):
    told = await found(connect, output_modality="all", limit=100)
    assert len(json.dumps(told)) * 100 / len(told["models"]) < 48_000


async def test_a_model_paid_by_the_request_is_not_called_free(connect: Connect):
    async with connect() as client:
        result = await client.call_tool("list_models", {"output_modality": "rerank"})
        served = await client.call_tool("endpoints", {"model": "cohere/rerank-4-pro"})
    rows = result.structured_content["models"]
    assert {row["id"] for row in rows if row["input_price"] == 0} == {row["id"] for row in rows if ":free" in row["id"]}
    assert {row["input_price"] for row in served.structured_content["endpoints"]} == {None}
    assert "| free |" not in text_of(served)


@pytest.mark.parametrize("name", ["openai/whisper-1", "google/veo-3.1", "openai/gpt-image-2"])
async def test_a_model_paid_by_the_second_or_the_picture_is_not_called_free(connect: Connect, name: str):
    told = await found(connect, query=name, output_modality="all")
    assert told["models"][0]["id"] == name
    assert told["models"][0]["output_price"] is None


async def test_every_row_has_what_is_known_and_nothing_empty(connect: Connect):
    told = await found(connect, output_modality="all", limit=100)
    always, known = {"id", "name", "input_price", "output_price", "modalities"}, {"context", "max_output", "created"}
    assert all(row.keys() >= always for row in told["models"])
    assert sum(row.keys() >= known for row in told["models"]) > 50
    assert not [row for row in told["models"] for name in row.keys() - always if row[name] in (None, [])]


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        ({"supports": ["function_calling"]}, "No model has supports=function_calling; there are frequency_penalty, "),
        ({"author": "antropic"}, "No model has author=antropic; did you mean anthropic?"),
        ({"input_modality": "pdf"}, "No model has input_modality=pdf; there are audio, file, image, text, video."),
        (
            {"output_modality": "picture"},
            "No model has output_modality=picture; there are audio, decisions, embeddings, image, ",
        ),
        ({"query": "opus", "max_input_price": 0.001}, "Without max_input_price=0.001, 4 would match."),
        ({"query": "opus", "output_modality": "embeddings"}, "Without output_modality=embeddings, 4 would match."),
        ({"author": "anthropic", "free": True}, "Without author=anthropic, "),
        (
            {"author": "cohere", "free": True, "min_context": 9_000_000},
            "models each condition alone keeps: author=cohere 4, free=true 9, min_context=9000000 0.",
        ),
    ],
)
async def test_when_conditions_leave_nothing_the_one_that_did_it_is_named(
    connect: Connect, arguments: dict[str, Any], note: str
):
    told = await found(connect, **arguments)
    assert told["total"] == 0
    assert note in " ".join(told["notes"])


@pytest.mark.parametrize(("given", "meant"), [("embedding", "embeddings"), ("Images", "image"), ("text", "text")])
async def test_a_modality_may_be_spelt_as_people_do(connect: Connect, given: str, meant: str):
    rows = (await found(connect, output_modality=given))["models"]
    assert rows
    assert all(meant in row["modalities"].split("->")[1] for row in rows)


async def test_a_name_of_another_modality_is_found_and_that_is_said(connect: Connect):
    told = await found(connect, query="whisper-1")
    assert told["models"][0]["id"] == "openai/whisper-1"
    assert told["notes"] == ["Nothing of that name makes text: these make something else (see modalities)."]


async def test_an_alias_says_what_it_points_to(connect: Connect):
    async with connect() as client:
        result = await client.call_tool("list_models", {"query": "~openai/gpt-latest"})
    assert result.structured_content["models"][0]["alias_of"] == "openai/gpt-5.6-sol"
    assert "-> openai/gpt-5.6-sol" in text_of(result)


async def test_a_model_that_will_be_retired_says_when(connect: Connect, upstream: Upstream):
    row = {"id": "a/old", "name": "Old", "expiration_date": "2027-01-01", "pricing": {"prompt": "-1"}, "created": 1}
    upstream.script(
        {"path": "/models", "status": 200, "body": {"data": [row | {"architecture": {"output_modalities": ["text"]}}]}}
    )
    async with connect() as client:
        result = await client.call_tool("list_models", {})
    assert "a/old | - | depends/depends" in text_of(result)
    assert "retires 2027-01-01" in text_of(result)
    assert result.structured_content["models"][0]["expires"] == "2027-01-01"


async def test_nothing_found_names_the_closest(connect: Connect):
    async with connect() as client:
        result = await client.call_tool("list_models", {"query": "xyzzy quux", "output_modality": "all"})
    assert result.structured_content["total"] == 0
    assert len(result.structured_content["closest"]) >= 3
    assert text_of(result).startswith("No model matches. Closest: ")


async def test_only_what_the_operator_allows_is_shown(connect: Connect):
    async with connect(OR_MCP_MODELS="anthropic/*,openai/gpt-5-*") as client:
        told = (await client.call_tool("list_models", {"limit": 100})).structured_content
    assert told["models"]
    assert all(row["id"].lstrip("~").startswith(("anthropic/", "openai/gpt-")) for row in told["models"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sort": "cheapest"}, "sort was"),
        ({"limit": 101}, "from 1 to 100"),
        ({"limit": 0}, "from 1 to 100"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"max_input_price": -1}, "max_input_price was -1"),
        ({"querry": "x"}, "did you mean 'query'?"),
        ({"free": "maybe"}, "true or false"),
    ],
)
async def test_bad_input_is_told(connect: Connect, arguments: dict[str, Any], words: str):
    async with connect() as client:
        result = await client.call_tool("list_models", arguments)
    assert result.is_error
    assert words in text_of(result)


async def test_without_a_key_the_catalogue_is_the_same_but_for_what_only_a_key_may_see(connect: Connect):
    with_key = await found(connect, limit=100)
    assert any(row.pop("task_usd", None) for row in with_key["models"])
    with_key["models"] = [
        {name: value for name, value in row.items() if name != "task_usd"} for row in with_key["models"]
    ]
    async with connect(OPENROUTER_API_KEY="") as client:
        without = (await client.call_tool("list_models", {"limit": 100})).structured_content
    assert without == with_key


async def test_offline_a_new_process_serves_the_disk_copy_and_says_how_old_it_is(
    connect: Connect, upstream: Upstream, environment: dict[str, str]
):
    online = await found(connect, query="opus")
    kept = Path(environment["OR_MCP_DATA_DIR"]) / "catalogue"
    upstream.script({"status": 403, "html": True})
    async with connect() as client:
        offline = await client.call_tool("list_models", {"query": "opus"})
    assert [row["id"] for row in offline.structured_content["models"]] == [row["id"] for row in online["models"]]
    shutil.rmtree(kept)
    async with connect() as client:
        nothing = await client.call_tool("list_models", {"query": "opus"})
    assert nothing.is_error
    assert "Spent: nothing" in text_of(nothing)


async def test_an_old_copy_says_its_age_when_upstream_is_down(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    from or_mcp.catalogue import cache

    await found(connect)
    upstream.script({"status": 403, "html": True})
    # However young, the copy is too old: it must be fetched again, and cannot be.
    monkeypatch.setattr(cache, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(cache, "TOO_OLD_SECONDS", 0.0)
    async with connect() as client:
        result = await client.call_tool("list_models", {})
    assert result.structured_content["models"]
    (note,) = result.structured_content["notes"]
    assert note.startswith("OpenRouter cannot be reached (")
    assert note.endswith("this catalogue is 0 min old.")
    assert note in text_of(result)


@pytest.mark.parametrize(
    ("minutes", "notes"), [(5, []), (150, ["This catalogue is 2 h old; a newer one is being fetched."])]
)
def test_an_old_catalogue_that_still_serves_says_its_age(minutes: int, notes: list[str]):
    assert freshness(replace(Snapshot.of(()), age_seconds=minutes * 60)) == notes


async def test_a_row_tells_what_a_task_costs_where_upstream_has_measured_it(connect: Connect, upstream: Upstream):
    async with connect() as client:
        await client.call_tool("list_models", {})
        result = await client.call_tool("list_models", {"query": "anthropic/claude-opus-5", "limit": 3})
    first, *_ = result.structured_content["models"]
    assert first["task_usd"] == {"gpqa_diamond": pytest.approx(400 * 5e-6 + 6_000 * 25e-6)}
    assert "$0.15 a task (gpqa_diamond)" in text_of(result)
    assert len([each for each in upstream.requests if each.path == "/benchmarks"]) == 1


@pytest.mark.parametrize("rule", [{"status": 500}, {"latency_ms": 60_000}, {"body": {"data": [{"odd": 1}, 7]}}])
async def test_benchmarks_that_cannot_be_had_keep_nobody_from_finding_a_model(
    connect: Connect, upstream: Upstream, rule: dict[str, Any]
):
    upstream.script({"path": "/benchmarks", **rule})
    async with connect() as client:
        result = await client.call_tool("list_models", {"query": "anthropic/claude-opus-5", "limit": 1})
    (row,) = result.structured_content["models"]
    assert row["id"] == "anthropic/claude-opus-5"
    assert "task_usd" not in row


async def test_without_a_key_nobody_is_asked_for_benchmarks(connect: Connect, upstream: Upstream):
    async with connect(OPENROUTER_API_KEY="") as client:
        result = await client.call_tool("list_models", {"query": "opus", "limit": 1})
    assert result.structured_content["models"]
    assert not [each for each in upstream.requests if each.path == "/benchmarks"]


async def test_every_modality_that_a_tool_makes_is_named_and_finds_models(connect: Connect):
    async with connect() as client:
        (tool,) = [tool for tool in (await client.list_tools()).tools if tool.name == "list_models"]
        told = tool.input_schema["properties"]["output_modality"]["description"]
        for modality in ("text", "embeddings", "rerank", "image", "speech", "video", "transcription", "decisions"):
            assert modality in told
            found = await client.call_tool("list_models", {"output_modality": modality, "limit": 1})
            assert found.structured_content["total"] > 0, modality
