"""Server tools do something small and true, or the request is refused; nothing is silently ignored."""

from datetime import datetime
from typing import Any

import pytest

from tests.simulator.calls import QUESTION, Caller, ask, chat
from tests.simulator.test_sim_contract import check_both_ways, problems

SPELLINGS = [
    "openrouter:web_search",
    "web_search",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "web_search_2025_08_26",
]
ANTHROPIC = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}


@pytest.mark.parametrize("kind", SPELLINGS)
async def test_every_spelling_of_the_web_search_searches(caller: Caller, kind: str):
    reply = await caller.result("/responses", ask(tools=[{"type": kind}]))
    assert problems("/responses", reply) == []
    assert reply["usage"]["server_tool_use_details"]["web_search_requests"] == 1
    kinds = [item["type"] for item in reply["output"]]
    assert ("openrouter:web_search" if kind.startswith("openrouter") else "web_search_call") in kinds
    (message,) = [item for item in reply["output"] if item["type"] == "message"]
    assert message["content"][0]["annotations"]


async def test_the_online_variant_searches(caller: Caller):
    reply = await caller.result("/chat/completions", chat(model="z-ai/glm-5.2:online"))
    assert reply["usage"]["server_tool_use_details"]["web_search_requests"] == 1
    message = reply["choices"][0]["message"]
    for note in message["annotations"]:
        cited = note["url_citation"]
        assert message["content"][cited["start_index"] : cited["end_index"]] in cited["content"]


async def test_messages_show_each_search_and_what_it_found(caller: Caller):
    body = chat(model="anthropic/claude-haiku-4.5", max_tokens=900, tools=[ANTHROPIC])
    reply = await caller.result("/messages", body)
    assert problems("/messages", reply) == []
    asked, found, text = reply["content"]
    assert (asked["type"], asked["name"], asked["input"]["query"]) == ("server_tool_use", "web_search", QUESTION[:120])
    assert (found["type"], found["tool_use_id"]) == ("web_search_tool_result", asked["id"])
    assert {each["url"] for each in found["content"]} >= {each["url"] for each in text["citations"]}
    assert reply["usage"]["server_tool_use"]["web_search_requests"] == 1
    await check_both_ways(caller, "/messages", {"tools": [ANTHROPIC]})


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "openrouter:web_search", "parameters": {"allowed_domains": ["acme.test"], "max_results": 1}},
        {"type": "web_search_2025_08_26", "filters": {"allowed_domains": ["acme.test"]}, "max_results": 1},
    ],
)
async def test_domains_and_the_number_of_results_are_honoured(caller: Caller, tool: dict[str, Any]):
    reply = await caller.result("/chat/completions", chat(tools=[tool]))
    (note,) = reply["choices"][0]["message"]["annotations"]
    assert note["url_citation"]["url"].startswith("https://acme.test/")
    excluded = {"type": "openrouter:web_search", "parameters": {"excluded_domains": ["example.org"]}}
    reply = await caller.result("/chat/completions", chat(tools=[excluded]))
    assert not any(
        "example.org" in note["url_citation"]["url"] for note in reply["choices"][0]["message"]["annotations"]
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_results": 0},
        {"max_uses": "3"},
        {"engine": "altavista"},
        {"allowed_domains": ["a.test"], "excluded_domains": ["b.test"]},
    ],
)
async def test_settings_of_a_search_that_make_no_sense_are_refused(caller: Caller, parameters: dict[str, Any]):
    tool = {"type": "openrouter:web_search", "parameters": parameters}
    assert (await caller.post("/chat/completions", chat(tools=[tool]))).status_code == 400


async def test_the_time_is_told_where_it_is_asked_for(caller: Caller):
    tool = {"type": "openrouter:datetime", "parameters": {"timezone": "Asia/Tokyo"}}
    reply = await caller.result("/responses", ask(tools=[tool]))
    assert problems("/responses", reply) == []
    item = next(item for item in reply["output"] if item["type"] == "openrouter:datetime")
    assert (item["timezone"], datetime.fromisoformat(item["datetime"]).utcoffset()) is not None
    assert abs((datetime.fromisoformat(item["datetime"]) - datetime.now().astimezone()).total_seconds()) < 600
    details = (await caller.result("/chat/completions", chat(tools=[tool])))["choices"][0]["message"]
    assert details["reasoning_details"][0]["tool_name"] == "openrouter:datetime"
    wrong = {"type": "openrouter:datetime", "parameters": {"timezone": "Nowhere/Land"}}
    assert (await caller.post("/responses", ask(tools=[wrong]))).status_code == 400


async def test_a_page_is_fetched_when_its_address_is_named(caller: Caller):
    tools = [{"type": "openrouter:web_fetch"}]
    reply = await caller.result("/responses", ask("What does https://acme.test/page say?", tools=tools))
    item = next(item for item in reply["output"] if item["type"] == "openrouter:web_fetch")
    assert (item["url"], item["httpStatus"]) == ("https://acme.test/page", 200)
    assert reply["usage"]["cost_details"]["server_tool_cost"] == 0.001
    assert reply["usage"]["server_tool_use_details"]["tool_calls_executed"] == 1
    nothing = await caller.result("/responses", ask(tools=tools))
    assert nothing["usage"]["server_tool_use_details"] is None


@pytest.mark.parametrize("kind", ["openrouter:image_generation", "image_generation"])
async def test_a_picture_is_drawn_by_a_tool(caller: Caller, kind: str):
    reply = await caller.result("/responses", ask(tools=[{"type": kind}]))
    assert problems("/responses", reply) == []
    item = next(item for item in reply["output"] if "image_generation" in item["type"])
    assert item["result"]
    assert reply["usage"]["cost_details"]["server_tool_cost"] > 0
    message = (await caller.result("/chat/completions", chat(tools=[{"type": kind}])))["choices"][0]["message"]
    assert message["images"][0]["image_url"]["url"].startswith("data:image/png;base64,")


@pytest.mark.parametrize("path", ["/responses", "/chat/completions", "/messages"])
async def test_server_tools_are_spelled_right(caller: Caller, path: str):
    tools = [{"type": "openrouter:datetime"}, {"type": "openrouter:web_fetch"}]
    await check_both_ways(caller, path, {"tools": tools})


@pytest.mark.parametrize("kind", ["openrouter:bash", "shell", "code_interpreter", "openrouter:advisor", "mcp"])
async def test_a_tool_that_cannot_be_imitated_is_refused(caller: Caller, kind: str):
    reply = await caller.post("/responses", ask(tools=[{"type": kind}]))
    assert (reply.status_code, kind in reply.json()["error"]["message"]) == (404, True)


async def test_tools_that_the_caller_carries_out_are_functions(caller: Caller):
    tool = {"type": "bash_20250124", "name": "bash"}
    body = chat(model="anthropic/claude-haiku-4.5", max_tokens=900, tools=[tool], tool_choice={"type": "any"})
    assert (await caller.result("/messages", body))["content"][-1]["name"] == "bash"


async def test_the_tools_are_listed_with_their_prices(caller: Caller):
    rows = await caller.data("/tools")
    search = next(row for row in rows if row["id"] == "openrouter:web_search")
    exa = next(engine for engine in search["engines"] if engine["id"] == "exa")
    assert exa["pricing"][0] == {"unit": "search", "price": "0.007", "mode": "auto", "max_units_per_call": 1}
    detail = await caller.data("/tools/web_search")
    assert detail["native_support"]["model_count"] == len(detail["native_support"]["models"]) > 5
    assert (await caller.get("/tools/nothing")).status_code == 404


async def test_json_that_is_asked_for_in_words_fits_the_schema_in_them(caller: Caller):
    schema = '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'
    body = chat(f"Answer with JSON of this schema: {schema}", response_format={"type": "json_object"})
    content = (await caller.result("/chat/completions", body))["choices"][0]["message"]["content"]
    assert '"city"' in content
