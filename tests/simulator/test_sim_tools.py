"""Server tools do something small and true, or the request is refused; nothing is silently ignored."""

import base64
from datetime import datetime
from typing import Any

import pytest

from or_mcp.simulator import Simulator
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
    (note,) = (await message_of(caller, model="z-ai/glm-5.2", tools=[tool]))["annotations"]
    assert note["url_citation"]["url"].startswith("https://acme.test/")
    excluded = {"type": "openrouter:web_search", "parameters": {"excluded_domains": ["example.org"]}}
    notes = (await message_of(caller, tools=[excluded]))["annotations"]
    assert not any("example.org" in note["url_citation"]["url"] for note in notes)


async def test_a_providers_own_search_brings_as_much_as_it_likes(caller: Caller):
    tool = {"type": "openrouter:web_search", "parameters": {"max_results": 1, "max_characters": 20}}
    notes = (await message_of(caller, tools=[tool]))["annotations"]
    assert len(notes) > 1
    assert len(notes[0]["url_citation"]["content"]) > 20


def exa(**parameters: Any) -> dict[str, Any]:
    return {"type": "openrouter:web_search", "parameters": {"engine": "exa", **parameters}}


async def prompt_with(caller: Caller, **parameters: Any) -> int:
    """The tokens that a search adds to what is read."""
    plain = (await caller.result("/chat/completions", chat(max_tokens=900)))["usage"]["prompt_tokens"]
    usage = (await caller.result("/chat/completions", chat(max_tokens=900, tools=[exa(**parameters)])))["usage"]
    return usage["prompt_tokens"] - 2 * plain


async def test_results_are_as_long_as_was_asked_for_and_are_read_at_that_length(caller: Caller):
    notes = (await message_of(caller, tools=[exa(max_characters=30)]))["annotations"]
    assert {len(note["url_citation"]["content"]) for note in notes} == {30}
    assert await prompt_with(caller, max_characters=1_000) == 5 * (250 + 40)
    assert await prompt_with(caller, max_characters=1_000, search_context_size="high") == 5 * (250 + 40)
    sizes = [await prompt_with(caller, search_context_size=size) for size in ("low", "medium", "high")]
    assert sizes == [5 * (chars // 4 + 40) for chars in (5_000, 15_000, 30_000)]


@pytest.mark.parametrize("more", [{"plugins": [{"id": "web"}]}, {"model": "z-ai/glm-5.2:online"}])
async def test_the_plugin_and_the_variant_obey_the_options_of_a_search(caller: Caller, more: dict[str, Any]):
    asked = chat(max_tokens=900, model="z-ai/glm-5.2") | more
    read: list[int] = []
    for size in ("low", "high"):
        options = {"search_context_size": size}
        reply = await caller.result("/chat/completions", asked | {"web_search_options": options})
        read.append(reply["usage"]["prompt_tokens"])
    assert read[1] - read[0] == 5 * (30_000 - 5_000) // 4
    wrong = await caller.post("/chat/completions", asked | {"web_search_options": {"search_context_size": "huge"}})
    assert wrong.status_code == 400


async def test_all_searches_together_bring_no_more_results_than_was_asked_for(simulator: Simulator, caller: Caller):
    notes = (await message_of(caller, tools=[exa(max_total_results=2)]))["annotations"]
    assert len(notes) == 2
    wanted: list[dict[str, int]] = [{"max_total_results": 2}, {"max_results": 10}, {}]
    read = [await prompt_with(caller, **each) for each in wanted]
    assert read == [1_000, 5_000, 2_500]
    simulator.script({"greedy": True})
    searches = chat(max_tokens=900, max_tool_calls=4, tools=[exa(max_total_results=7)])
    usage = (await caller.result("/chat/completions", searches))["usage"]
    plain = (await caller.result("/chat/completions", chat(max_tokens=900)))["usage"]["prompt_tokens"]
    assert usage["server_tool_use_details"]["web_search_requests"] == 4
    # Five results of the first search, two more of the second, and nothing of those after it.
    assert usage["prompt_tokens"] == 5 * plain + 4 * 4_000 + 3 * (4_000 * 2 // 5)


async def message_of(caller: Caller, **more: Any) -> dict[str, Any]:
    return (await caller.result("/chat/completions", chat(**more)))["choices"][0]["message"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_results": 0},
        {"max_uses": "3"},
        {"engine": "altavista"},
        {"search_context_size": "huge"},
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


def fetching(**parameters: Any) -> dict[str, Any]:
    return {"tools": [{"type": "openrouter:web_fetch", "parameters": parameters}]}


NAMED = "What does https://acme.test/page say?"


async def test_a_page_is_cut_to_what_was_asked_for_and_is_read_at_that_length(simulator: Simulator, caller: Caller):
    body = ask(NAMED, **fetching(max_content_tokens=8, engine="openrouter"))
    reply = await caller.result("/responses", body)
    item = next(item for item in reply["output"] if item["type"] == "openrouter:web_fetch")
    assert len(item["content"]) == 32
    plain = (await caller.result("/responses", ask(NAMED)))["usage"]["input_tokens"]
    assert reply["usage"]["input_tokens"] == 2 * plain + 8
    # Upstream reads pages itself for nothing.
    assert "server_tool_cost" not in reply["usage"]["cost_details"]
    simulator.script({"greedy": True})
    greedy = await caller.result("/responses", ask(NAMED, max_tool_calls=9, **fetching(max_uses=2)))
    assert greedy["usage"]["server_tool_use_details"]["tool_calls_executed"] == 2


@pytest.mark.parametrize(
    ("parameters", "read"),
    [
        ({"allowed_domains": ["acme.test"]}, True),
        ({"allowed_domains": ["*.test"]}, True),
        ({"allowed_domains": ["example.org"]}, False),
        ({"blocked_domains": ["acme.test"]}, False),
        ({"blocked_domains": ["me.test"]}, True),
    ],
)
async def test_a_page_is_fetched_only_from_where_it_may_be(caller: Caller, parameters: dict[str, Any], read: bool):
    reply = await caller.result("/responses", ask(NAMED, **fetching(**parameters)))
    assert problems("/responses", reply) == []
    item = next(item for item in reply["output"] if item["type"] == "openrouter:web_fetch")
    assert ("content" in item, "error" in item) == (read, not read)
    assert (reply["usage"]["server_tool_use_details"] is not None) is read
    body = chat(NAMED, "anthropic/claude-haiku-4.5", max_tokens=900, **fetching(**parameters))
    said = await caller.result("/messages", body)
    assert problems("/messages", said) == []
    asked, found, _text = said["content"]
    assert (asked["name"], found["tool_use_id"]) == ("web_fetch", asked["id"])
    assert found["content"]["type"] == ("web_fetch_result" if read else "web_fetch_tool_result_error")


@pytest.mark.parametrize(("form", "start"), [("jpeg", b"\xff\xd8"), ("webp", b"RIFF"), ("svg", b"<svg")])
async def test_a_tool_draws_in_the_form_that_was_asked_for(caller: Caller, form: str, start: bytes):
    parameters = {"type": "openrouter:image_generation", "parameters": {"output_format": form}}
    for tool in (parameters, {"type": "image_generation", "output_format": form}):
        reply = await caller.result("/responses", ask(tools=[tool]))
        item = next(item for item in reply["output"] if "image_generation" in item["type"])
        assert base64.b64decode(item["result"]).startswith(start)
        message = await message_of(caller, tools=[tool])
        assert message["images"][0]["image_url"]["url"].startswith(f"data:image/{form}")
        wrong = await caller.post("/responses", ask(tools=[tool | {"output_format": "gif", "parameters": {}}]))
        assert (wrong.status_code, "png|jpeg|webp|svg" in wrong.text) == (400, True)


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


async def test_a_script_has_the_model_call_functions_step_by_step(caller: Caller):
    called = [{"name": "read", "arguments": {"path": "a"}}, {"name": "nobody_offers_it", "arguments": "{not json"}]
    await caller.control("POST", "/_sim/faults", [{"times": 1, "calls": called, "answer": "First I look."}])
    tools = [{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}]
    first = await caller.result("/chat/completions", chat(tools=tools))
    message = first["choices"][0]["message"]
    assert problems("/chat/completions", first) == []
    assert first["choices"][0]["finish_reason"] == "tool_calls"
    assert message["content"] == "First I look."
    told = [(call["function"]["name"], call["function"]["arguments"]) for call in message["tool_calls"]]
    assert told == [("read", '{"path":"a"}'), ("nobody_offers_it", "{not json")]
    assert len({call["id"] for call in message["tool_calls"]}) == 2
    outputs = [{"role": "tool", "tool_call_id": call["id"], "content": "done"} for call in message["tool_calls"]]
    second = await caller.result(
        "/chat/completions", chat(tools=tools, messages=[*chat()["messages"], message, *outputs])
    )
    assert second["choices"][0]["finish_reason"] == "stop"
