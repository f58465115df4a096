"""What `account` tells: to any key, to a management key, to none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Connect, Upstream, text_of

ASK = {"model": "openai/gpt-5-mini", "prompt": "Hello?"}
MANAGER = {"OPENROUTER_API_KEY": "sk-or-mgmt-boss"}


async def test_the_summary_tells_key_ledger_and_budget(connect: Connect, upstream: Upstream):
    upstream.reset(limit="5")
    async with connect(OR_MCP_DAILY_BUDGET_USD="2", OR_MCP_MODELS="openai/*") as client:
        asked = (await client.call_tool("ask", ASK)).structured_content
        result = await client.call_tool("account", {})
    told, cost = result.structured_content, asked["cost_usd"]
    assert told["view"] == "summary"
    assert told["key"]["label"].startswith("sk-or-v1-")
    assert (told["key"]["limit_usd"], told["key"]["management"]) == (5, False)
    assert told["key"]["remaining_usd"] == pytest.approx(5 - cost)
    assert told["key"]["used_today_usd"] == pytest.approx(cost)
    assert told["key"]["free_requests_left_today"] == 1000
    assert told["today"]["by_tool"] == {"ask": cost}
    assert told["today"]["by_model"] == {"openai/gpt-5-mini": cost}
    assert {name: sums for name, sums in told["last_30_days"].items() if name != "estimates"} == told["today"]
    assert told["budget_left_usd"] == pytest.approx(2 - cost)
    assert told["policy"]["OR_MCP_MODELS"] == "openai/*"
    assert "credit_usd" not in told
    assert "The account's credit is shown only to a management key." in told["notes"]
    text = text_of(result)
    assert f"by tool: ask ${cost:.4f}" in text
    assert f"by day: {datetime.now(UTC).date()} ${cost:.4f}" in text
    assert "Daily budget: $" in text
    assert "Rule: OR_MCP_MODELS openai/*" in text


async def test_without_limit_and_budget_nothing_is_made_up(connect: Connect):
    async with connect() as client:
        result = await client.call_tool("account", {})
    told = result.structured_content
    assert not {"limit_usd", "remaining_usd"} & told["key"].keys()
    assert "budget_left_usd" not in told
    assert "unlimited left" in text_of(result)
    assert "no daily budget" in text_of(result)


async def test_runs_of_unknown_cost_are_counted_not_guessed(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "cut_at_event": 4}, {"path": "/generation", "status": 403})
    async with connect() as client:
        await client.call_tool("ask", ASK)
        result = await client.call_tool("account", {})
    assert result.structured_content["today"]["runs_of_unknown_cost"] == 1
    assert result.structured_content["today"]["total_usd"] == 0
    assert "runs of unknown cost: 1" in text_of(result)


async def test_what_was_refused_before_it_could_cost_anything_is_no_unknown_cost(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "status": 404})
    async with connect() as client:
        refused = await client.call_tool("ask", ASK)
        told = (await client.call_tool("account", {})).structured_content
    assert "Spent: nothing" in text_of(refused)
    assert "Run: " not in text_of(refused)
    assert (told["today"]["runs_of_unknown_cost"], told["today"]["total_usd"]) == (0, 0)


async def test_a_management_key_sees_the_credit(connect: Connect, upstream: Upstream):
    async with connect(**MANAGER) as client:
        result = await client.call_tool("account", {})
    assert result.structured_content["credit_usd"] == 100
    assert result.structured_content["key"]["management"] is True
    assert "Credit: $100.00" in text_of(result)


async def test_without_a_key_the_ledger_is_told_and_how_to_get_one(connect: Connect, upstream: Upstream):
    async with connect(OPENROUTER_API_KEY="") as client:
        result = await client.call_tool("account", {})
        refused = [
            await client.call_tool("account", {"view": "activity"}),
            await client.call_tool("account", {"view": "generation", "generation_id": "gen-1-a"}),
        ]
    told = result.structured_content
    assert "key" not in told
    assert told["today"]["total_usd"] == 0
    assert any("or-mcp login" in note for note in told["notes"])
    assert all(text_of(each).startswith("not_authorized: No OpenRouter key") for each in refused)
    assert not [request for request in upstream.requests if request.path in ("/key", "/credits", "/activity")]


async def test_what_cannot_be_read_is_said_and_the_ledger_is_told(connect: Connect, upstream: Upstream):
    async with connect() as client:
        await client.call_tool("ask", ASK)
        upstream.script({"status": 404, "path": "/key"}, {"status": 400, "path": "/credits"})
        result = await client.call_tool("account", {})
    told = result.structured_content
    assert "key" not in told
    assert told["today"]["by_tool"]
    assert any(note.startswith("The key's status could not be read (not_found:") for note in told["notes"])
    assert "The account's credit could not be read (invalid_request)." in told["notes"]


async def test_a_credit_upstream_does_not_tell_is_left_out(connect: Connect, upstream: Upstream):
    async with connect(**MANAGER) as client:
        upstream.script({"path": "/credits", "status": 200, "body": {"data": {"total_credits": "many"}}})
        told = (await client.call_tool("account", {})).structured_content
    assert "credit_usd" not in told


async def test_activity_is_told_to_a_management_key(connect: Connect, upstream: Upstream):
    async with connect() as client:
        cost = (await client.call_tool("ask", ASK)).structured_content["cost_usd"]
    today = datetime.now(UTC).date().isoformat()
    async with connect(**MANAGER) as client:
        whole = await client.call_tool("account", {"view": "activity"})
        day = await client.call_tool("account", {"view": "activity", "date": today})
        old = await client.call_tool("account", {"view": "activity", "date": "2020-01-01"})
    (row,) = whole.structured_content["activity"]
    assert (row["date"], row["model"], row["requests"]) == (today, "openai/gpt-5-mini", 1)
    assert row["cost_usd"] == pytest.approx(cost)
    assert day.structured_content["activity"] == [row]
    queries = [request.query for request in upstream.requests if request.path.endswith("/activity")]
    assert queries == ["", f"date={today}", "date=2020-01-01"]
    assert text_of(old).startswith("invalid_request:")
    assert text_of(whole).startswith("Rows of activity: 1\n")


async def test_activity_with_another_key_is_what_we_know_ourselves(connect: Connect):
    async with connect() as client:
        cost = (await client.call_tool("ask", ASK)).structured_content["cost_usd"]
        result = await client.call_tool("account", {"view": "activity"})
    assert result.structured_content["last_30_days"]["by_tool"] == {"ask": cost}
    assert "only to a management key" in result.structured_content["notes"][0]
    assert f"by tool: ask ${cost:.4f}" in text_of(result)


async def test_a_long_activity_is_cut_with_the_way_to_the_rest(connect: Connect, upstream: Upstream):
    rows = [{"date": "2026-11-01", "model": f"a/m{number}", "usage": 0.1, "requests": 1} for number in range(250)]
    async with connect(**MANAGER) as client:
        upstream.script({"path": "/activity", "status": 200, "body": {"data": rows}})
        result = await client.call_tool("account", {"view": "activity"})
    assert len(result.structured_content["activity"]) == 200
    assert result.structured_content["notes"] == ["50 more rows; ask for one date."]
    assert text_of(result).startswith("Rows of activity: 250\n")


async def test_a_generation_is_told_by_either_form_of_its_id(connect: Connect):
    async with connect() as client:
        asked = (await client.call_tool("ask", ASK)).structured_content
        view = {"view": "generation"}
        plain = await client.call_tool("account", view | {"generation_id": asked["generation_id"]})
        prefixed = await client.call_tool("account", view | {"generation_id": f"resp_{asked['generation_id']}"})
        unknown = await client.call_tool("account", view | {"generation_id": "gen-0-nothing"})
    told = plain.structured_content["generation"]
    assert told["generation_id"] == asked["generation_id"]
    assert told["cost_usd"] == pytest.approx(asked["cost_usd"])
    assert told["cancelled"] is False
    assert prefixed.structured_content == plain.structured_content
    assert f"cost_usd {told['cost_usd']}" in text_of(plain)
    assert text_of(unknown).startswith("not_found:")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"view": "activity", "date": "yesterday"}, "it takes a day as YYYY-MM-DD"),
        ({"view": "generation"}, "generation_id was ''"),
        ({"view": "generation", "generation_id": "gen-1/../key"}, "generation_id was"),
        ({"view": "generation", "generation_id": "run_1"}, "it takes an id such as gen-"),
        ({"view": "all"}, "one of summary, activity, generation"),
    ],
)
async def test_bad_input_is_told_before_anything_is_asked(
    connect: Connect, upstream: Upstream, arguments: dict[str, Any], words: str
):
    async with connect() as client:
        result = await client.call_tool("account", arguments)
    assert result.is_error
    assert words in text_of(result)
    assert not [request for request in upstream.requests if request.path in ("/activity", "/generation")]


async def test_estimates_stand_beside_bills_so_that_anybody_sees_how_good_they_are(connect: Connect):
    async with connect() as client:
        await client.call_tool("ask", {"prompt": "Question 1?", "model": "openai/gpt-5-mini"})
        asked = await client.call_tool("ask", {"prompt": "Question 2?", "model": "openai/gpt-5-mini"})
        told = await client.call_tool("account", {})
    row = told.structured_content["last_30_days"]["estimates"]["ask"]
    estimate = asked.structured_content["cost_estimate_usd"]
    assert row["runs"] == 2
    assert row["most_usd"] == pytest.approx(2 * estimate["most"], rel=1e-3)
    assert row["billed_usd"] == pytest.approx(2 * asked.structured_content["cost_usd"], rel=0.2)
    assert row["low_usd"] <= row["high_usd"] <= row["most_usd"]
    assert "ask, runs: 2: estimated $" in text_of(told)


async def test_what_does_not_come_out_of_the_keys_money_is_told(connect: Connect, upstream: Upstream):
    async with connect(OPENROUTER_API_KEY="sk-or-byok-mine") as client:
        await client.call_tool("ask", {"model": "openai/gpt-5-mini", "prompt": "Hello?"})
        await client.call_tool("ask", {"model": "openai/gpt-oss-120b:free", "prompt": "Hello?"})
        result = await client.call_tool("account", {})
    key = result.structured_content["key"]
    assert key["free_requests_left_today"] == 999
    assert "Free models: 999 requests left today" in text_of(result)
    assert key["byok_used_today_usd"] > 0
    assert "by keys of your own" in text_of(result)
