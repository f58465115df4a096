"""A conversation over several turns, models and tools."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.conftest import Connect, Upstream, text_of
from tests.oracle import request_problems

MINI = "openai/gpt-5-mini"
OPUS = "anthropic/claude-opus-5"
TOOLS: list[dict[str, Any]] = [
    {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
    {"name": "get_time", "parameters": {"type": "object", "properties": {}}},
]


def bodies(upstream: Upstream) -> list[dict[str, Any]]:
    found = [post.body for post in upstream.posts("/chat/completions")]
    assert not [problem for body in found for problem in request_problems("/chat/completions", body)]
    return found


async def test_a_conversation_goes_on_with_any_model_and_remembers_everything(connect: Connect, upstream: Upstream):
    async with connect() as client:
        one = await client.call_tool("ask", {"model": MINI, "instructions": "Be brief.", "prompt": "One?"})
        two = await client.call_tool(
            "ask", {"model": OPUS, "prompt": "Two?", "continue_run": one.structured_content["run_id"]}
        )
        await client.call_tool(
            "ask", {"model": MINI, "prompt": "Three?", "continue_run": two.structured_content["run_id"]}
        )
    first, second, third = bodies(upstream)
    assert [message["role"] for message in third["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert third["messages"][2]["content"] == one.structured_content["text"]
    assert third["messages"][4]["content"] == two.structured_content["text"]
    assert third["messages"][:3] == second["messages"][:3]
    assert first["session_id"] == second["session_id"] == third["session_id"]


async def test_a_conversation_may_branch(connect: Connect, upstream: Upstream):
    async with connect() as client:
        one = await client.call_tool("ask", {"model": MINI, "prompt": "One?"})
        for prompt in ("Left?", "Right?"):
            await client.call_tool(
                "ask", {"model": MINI, "prompt": prompt, "continue_run": one.structured_content["run_id"]}
            )
    _, left, right = bodies(upstream)
    assert left["messages"][:2] == right["messages"][:2]
    assert [left["messages"][2]["content"], right["messages"][2]["content"]] == ["Left?", "Right?"]


async def test_a_conversation_goes_on_from_a_fusion(connect: Connect, upstream: Upstream):
    async with connect() as client:
        fused = await client.call_tool("fuse", {"prompt": "Monolith or microservices?", "web": False})
        result = await client.call_tool(
            "ask", {"model": MINI, "prompt": "Why?", "continue_run": fused.structured_content["run_id"]}
        )
    (body,) = bodies(upstream)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert fused.structured_content["answer"] in body["messages"][1]["content"]
    assert not result.is_error


async def test_a_conversation_cannot_go_on_from_vectors(connect: Connect, upstream: Upstream):
    async with connect() as client:
        ranked = await client.call_tool(
            "rerank", {"model": "cohere/rerank-4-pro", "query": "q", "documents": ["a", "b"]}
        )
        result = await client.call_tool(
            "ask", {"model": MINI, "prompt": "Why?", "continue_run": ranked.structured_content["run_id"]}
        )
    assert "continue_run takes a run of ask or fuse" in text_of(result)
    assert not bodies(upstream)


async def test_another_callers_run_cannot_be_continued(connect: Connect, upstream: Upstream):
    async with connect() as one, connect(OPENROUTER_API_KEY="sk-or-other") as two:
        mine = await one.call_tool("ask", {"model": MINI, "prompt": "Secret?"})
        result = await two.call_tool(
            "ask", {"model": MINI, "prompt": "Go on", "continue_run": mine.structured_content["run_id"]}
        )
    assert text_of(result).startswith("not_found:")
    assert len(bodies(upstream)) == 1


async def test_a_broken_answer_can_be_gone_on_from(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "cut_at_event": 6, "answer_chars": 2000, "times": 1})
    async with connect() as client:
        told = text_of(await client.call_tool("ask", {"model": MINI, "prompt": "Long?"}))
        run_id = told.partition("Run: ")[2].split()[0]
        result = await client.call_tool("ask", {"model": MINI, "prompt": "Go on", "continue_run": run_id})
    assert [message["role"] for message in bodies(upstream)[1]["messages"]] == ["user", "assistant", "user"]
    assert not result.is_error


async def test_a_broken_answer_can_be_asked_for_again_without_words(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "cut_at_event": 1, "times": 1})
    async with connect() as client:
        told = text_of(await client.call_tool("ask", {"model": MINI, "prompt": "Long?"}))
        run_id = told.partition("Run: ")[2].split()[0]
        result = await client.call_tool("ask", {"model": OPUS, "continue_run": run_id})
    assert [message["content"] for message in bodies(upstream)[1]["messages"]] == ["Long?"]
    assert not result.is_error


async def test_a_tool_call_that_broke_off_waits_for_no_output(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "cut_at_event": 2, "times": 1})
    asked = {"model": MINI, "tools": TOOLS, "tool_choice": "get_weather", "prompt": "Weather in Rome?"}
    async with connect() as client:
        told = text_of(await client.call_tool("ask", asked))
        run_id = told.partition("Run: ")[2].split()[0]
        kept = await client.call_tool("run", {"run_id": run_id})
        result = await client.call_tool("ask", {"model": MINI, "continue_run": run_id, "prompt": "Well?"})
    assert [call["name"] for call in kept.structured_content["tool_calls"]] == ["get_weather"]
    assert f"ask with continue_run={run_id!r} goes on from here" in text_of(kept)
    assert [message["role"] for message in bodies(upstream)[1]["messages"]] == ["user", "user"]
    assert not result.is_error


async def test_an_interrupted_answer_can_be_gone_on_from(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "stall_at_event": 6, "answer_chars": 2000, "times": 1})
    async with connect(OR_MCP_DRAIN_SECONDS="0") as client:
        begun = await client.call_tool("ask", {"model": MINI, "prompt": "Long?", "wait_seconds": 0})
        run_id = begun.structured_content["run_id"]
        while "writing" not in text_of(await client.call_tool("run", {"run_id": run_id, "wait_seconds": 0.2})):
            pass
    async with connect() as client:
        kept = await client.call_tool("run", {"run_id": run_id})
        result = await client.call_tool("ask", {"model": MINI, "prompt": "Go on", "continue_run": run_id})
    assert kept.structured_content["status"] == "interrupted"
    assert [message["role"] for message in bodies(upstream)[1]["messages"]] == ["user", "assistant", "user"]
    assert bodies(upstream)[1]["messages"][1]["content"] == kept.structured_content["text"]
    assert not result.is_error


async def test_a_conversation_outlives_the_runs_it_came_from(connect: Connect, upstream: Upstream, tmp_path: Path):
    async with connect() as client:
        one = (await client.call_tool("ask", {"model": MINI, "prompt": "One?"})).structured_content["run_id"]
        two = await client.call_tool("ask", {"model": MINI, "prompt": "Two?", "continue_run": one})
    with closing(sqlite3.connect(tmp_path / "data" / "runs.sqlite3")) as store, store:
        assert store.execute("DELETE FROM runs WHERE run_id = ?", (one,)).rowcount == 1
    async with connect() as client:
        going_on = {"model": MINI, "prompt": "Three?", "continue_run": two.structured_content["run_id"]}
        assert not (await client.call_tool("ask", going_on)).is_error
        gone = text_of(await client.call_tool("ask", going_on | {"continue_run": one}))
    assert [message["role"][0] for message in bodies(upstream)[2]["messages"]] == list("uauau")
    assert gone.startswith("not_found:")


async def test_a_router_gets_the_thoughts_behind_open_tool_calls_and_no_others(connect: Connect, upstream: Upstream):
    thinking = {"reasoning_effort": "low", "tools": TOOLS}
    async with connect() as client:
        one = await client.call_tool("ask", {"model": "openai/gpt-5.6-terra", "prompt": "One?", **thinking})
        two = await client.call_tool(
            "ask",
            {
                "model": "openrouter/auto",
                "prompt": "get_time",
                "continue_run": one.structured_content["run_id"],
                **thinking,
            },
        )
        (called,) = two.structured_content["tool_calls"]
        outputs = [{"call_id": called["call_id"], "output": "noon"}]
        await client.call_tool("ask", {"continue_run": two.structured_content["run_id"], "tool_outputs": outputs})
    sent = [message for message in bodies(upstream)[2]["messages"] if message["role"] == "assistant"]
    assert ["reasoning_details" in message for message in sent] == [False, True]


async def test_a_fusion_without_a_word_leaves_the_question_and_nothing_empty(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "cut_at_event": 1})
    async with connect() as client:
        told = text_of(await client.call_tool("fuse", {"prompt": "Monolith?", "web": False}))
        run_id = told.partition("Run: ")[2].split()[0]
        await client.call_tool("ask", {"model": MINI, "prompt": "Well?", "continue_run": run_id})
    assert all(message["content"] for message in bodies(upstream)[0]["messages"])


async def test_a_question_that_got_no_word_is_asked_again_without_an_empty_answer(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "empty_completion": True, "times": 1})
    async with connect() as client:
        told = text_of(await client.call_tool("ask", {"model": MINI, "prompt": "One?"}))
        run_id = told.partition("Run: ")[2].split()[0]
        await client.call_tool("ask", {"model": MINI, "prompt": "Two?", "continue_run": run_id})
    assert [message["content"] for message in bodies(upstream)[1]["messages"]] == ["One?", "Two?"]


async def test_tool_calls_go_out_and_their_outputs_come_back(connect: Connect, upstream: Upstream):
    async with connect() as client:
        asked = await client.call_tool(
            "ask", {"model": MINI, "tools": TOOLS, "tool_choice": "get_weather", "prompt": "Weather in Rome?"}
        )
        told = asked.structured_content
        (called,) = told["tool_calls"]
        outputs = [{"call_id": called["call_id"], "output": "sunny"}]
        answered = await client.call_tool(
            "ask", {"model": MINI, "tools": TOOLS, "continue_run": told["run_id"], "tool_outputs": outputs}
        )
    assert (called["name"], told["finish_reason"]) == ("get_weather", "tool_calls")
    assert f"call ask with continue_run={told['run_id']!r} and tool_outputs" in text_of(asked)
    first, second = bodies(upstream)
    assert first["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}
    assert second["messages"][1]["tool_calls"][0]["id"] == called["call_id"]
    assert second["messages"][2] == {"role": "tool", "tool_call_id": called["call_id"], "content": "sunny"}
    assert answered.structured_content["text"]


async def test_outputs_that_do_not_fit_the_calls_are_refused(connect: Connect, upstream: Upstream):
    async with connect() as client:
        asked = await client.call_tool(
            "ask", {"model": MINI, "tools": TOOLS, "tool_choice": "required", "prompt": "Weather?"}
        )
        going_on = {"model": MINI, "continue_run": asked.structured_content["run_id"]}
        call_id = asked.structured_content["tool_calls"][0]["call_id"]
        missing = await client.call_tool("ask", going_on | {"prompt": "Well?"})
        unknown = await client.call_tool("ask", going_on | {"tool_outputs": [{"call_id": "c9", "output": "x"}]})
    assert f"tool_outputs lacks an output for {call_id}" in text_of(missing)
    assert "tool_outputs answers c9, but the model called" in text_of(unknown)
    assert len(bodies(upstream)) == 1


async def test_a_model_told_not_to_call_anything_answers(connect: Connect, upstream: Upstream):
    async with connect() as client:
        result = await client.call_tool(
            "ask", {"model": MINI, "tools": TOOLS, "tool_choice": "none", "prompt": "get_weather in Rome?"}
        )
    assert "tool_calls" not in result.structured_content
    assert result.structured_content["text"]
    assert bodies(upstream)[0]["tool_choice"] == "none"


async def test_tools_and_the_web_go_together(connect: Connect, upstream: Upstream):
    async with connect() as client:
        await client.call_tool("ask", {"model": MINI, "tools": TOOLS[:1], "web": True, "prompt": "Hello?"})
    assert [tool["type"] for tool in bodies(upstream)[0]["tools"]] == ["function", "openrouter:web_search"]


async def test_what_gemini_sealed_goes_back_to_the_provider_that_served_it(connect: Connect, upstream: Upstream):
    gemini = {"model": "google/gemini-3-flash-preview", "reasoning_effort": "low"}
    called = {"prompt": "get_time, please", "tools": [{"name": "get_time"}]}
    async with connect(OR_MCP_PROVIDERS_IGNORE="google-vertex") as client:
        first = (await client.call_tool("ask", gemini | called)).structured_content
    # From here on another provider would be taken.
    async with connect() as client:
        outputs = [{"call_id": call["call_id"], "output": "noon"} for call in first["tool_calls"]]
        goes_on = {"continue_run": first["run_id"], "tool_outputs": outputs}
        second = await client.call_tool("ask", gemini | goes_on)
        assert not second.is_error, text_of(second)
        another = {"model": "openai/gpt-5-mini", "continue_run": second.structured_content["run_id"], "prompt": "So?"}
        assert not (await client.call_tool("ask", another)).is_error
    assert first["provider"] == second.structured_content["provider"] == "Google AI Studio"
    bodies = [post.body for post in upstream.posts("/chat/completions")]
    assert [body["provider"].get("order") for body in bodies] == [None, ["Google AI Studio"], None]
    assert "sealed_by" not in str(bodies)
