"""Answers that must be JSON: read, repaired once, or told why not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Connect, Upstream, text_of
from tests.oracle import request_problems

MINI = "openai/gpt-5-mini"
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}
WANTED = {"model": MINI, "prompt": "Who?", "json_schema": PERSON}


def says(content: str, *, times: int | None = None, finish: str = "stop", cost: float = 0.001) -> dict[str, Any]:
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": finish}
    body = {"id": "gen-1", "model": MINI, "choices": [choice], "usage": {"cost": cost, "prompt_tokens": 1}}
    return {"path": "/chat/completions", "status": 200, "body": body, "times": times}


def posts(upstream: Upstream) -> list[dict[str, Any]]:
    found = [post.body for post in upstream.posts("/chat/completions")]
    assert not [problem for body in found for problem in request_problems("/chat/completions", body)]
    return found


async def test_an_answer_that_is_no_json_is_repaired_by_one_more_request(connect: Connect, upstream: Upstream):
    upstream.script(says("It is Ada.", times=1), says('{"name": "Ada"}', cost=0.002))
    async with connect() as client:
        result = await client.call_tool("ask", WANTED)
        kept = await client.call_tool("run", {"run_id": result.structured_content["run_id"]})
    told = result.structured_content
    assert (told["json"], told["text"], told["cost_usd"]) == ({"name": "Ada"}, '{"name": "Ada"}', 0.003)
    (note,) = told["notes"]
    assert note.startswith("The first answer could not be used (the answer is not JSON")
    assert note.endswith("a second did. Both are in the cost.")
    assert kept.structured_content["json"] == {"name": "Ada"}
    first, second = posts(upstream)
    assert second["messages"][: len(first["messages"])] == first["messages"]
    assert [message["role"] for message in second["messages"][-2:]] == ["assistant", "user"]
    assert second["plugins"] == [{"id": "response-healing"}]
    assert (first["stream"], second["stream"]) == (True, False)
    assert second["response_format"] == first["response_format"]


async def test_a_second_answer_that_is_no_better_leaves_the_first_and_says_why(connect: Connect, upstream: Upstream):
    upstream.script(says("It is Ada.", times=1), says("As I said."))
    async with connect() as client:
        told = (await client.call_tool("ask", WANTED)).structured_content
    assert told["text"] == "It is Ada."
    assert "json" not in told
    assert told["cost_usd"] == 0.002
    assert [note.split(" (")[0].split(":")[0] for note in told["notes"]] == [
        "No json",
        "A second request, to repair it, was answered no better",
    ]
    assert len(posts(upstream)) == 2


@pytest.mark.parametrize(
    ("fault", "cost", "generation"),
    [
        ({"status": 400, "message": "no"}, 0.001, "gen-1"),
        ({"reset": True}, None, None),
    ],
)
async def test_a_repair_that_fails_loses_nothing(
    connect: Connect, upstream: Upstream, fault: dict[str, Any], cost: float | None, generation: str | None
):
    upstream.script(says("It is Ada.", times=1), {"path": "/chat/completions", **fault})
    async with connect() as client:
        told = (await client.call_tool("ask", WANTED)).structured_content
    assert (told["status"], told["text"], told["cost_usd"]) == ("completed", "It is Ada.", cost)
    assert told.get("generation_id") == generation
    assert any(note.startswith("A second request, to repair it, failed:") for note in told["notes"])
    assert len(posts(upstream)) == 2


@pytest.mark.parametrize(
    ("arguments", "finish"),
    [
        (WANTED, "length"),
        (WANTED | {"max_cost_usd": 0.05, "max_output_tokens": 16_000}, "stop"),
        ({"prompt": "Who?", "json_schema": PERSON}, "stop"),
    ],
    ids=["cut off", "no money for two", "price not known"],
)
async def test_nothing_is_repaired_where_it_would_not_help_or_could_cost_too_much(
    connect: Connect, upstream: Upstream, arguments: dict[str, Any], finish: str
):
    upstream.script(says("It is Ada.", finish=finish))
    async with connect() as client:
        told = (await client.call_tool("ask", arguments)).structured_content
    assert told["text"] == "It is Ada."
    assert any(note.startswith("No json: the answer is not JSON") for note in told["notes"])
    assert len(posts(upstream)) == 1


async def test_an_answer_in_the_right_shape_is_asked_for_once(connect: Connect, upstream: Upstream):
    async with connect() as client:
        told = (await client.call_tool("ask", WANTED)).structured_content
    assert set(told["json"]) == {"name"}
    assert len(posts(upstream)) == 1


async def test_a_pattern_that_could_take_for_ever_is_checked_at_once(connect: Connect, upstream: Upstream):
    upstream.script(says('"' + "a" * 60 + '!"'))
    schema = {"type": "string", "pattern": "^(a+)+$"}
    async with connect() as client:
        told = (await client.call_tool("ask", WANTED | {"json_schema": schema})).structured_content
    assert any("does not match '^(a+)+$'" in note for note in told["notes"])


async def test_json_too_large_to_show_says_where_its_text_is(connect: Connect, upstream: Upstream):
    text = '{"name": "' + "x" * 60_000 + '"}'
    upstream.script(says(text))
    async with connect() as client:
        result = await client.call_tool("ask", WANTED)
        run_id = result.structured_content["run_id"]
        pages, offset = "", 0
        while offset is not None:
            page = await client.call_tool("run", {"run_id": run_id, "part": "result", "offset": offset})
            pages += page.structured_content["text"]
            offset = page.structured_content.get("next_offset")
    assert "json" not in result.structured_content
    assert any("too large to show here" in note for note in result.structured_content["notes"])
    assert len(text_of(result)) < 48_000
    assert pages == text
