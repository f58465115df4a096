"""`decide`: typed questions about texts."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from openrouter.components import DecisionsRequest, DecisionsResponse

from tests.conftest import Connect, Upstream, text_of

PATH = "/systemone"
TEAM = {"type": "choice", "instructions": "Which team?", "options": ["billing", "technical"]}
URGENT = {"type": "yes_no", "instructions": "Is it urgent?"}
ANGER = {"type": "score", "instructions": "How angry?", "options": ["calm", "annoyed", "furious"]}
QUESTIONS = {"team": TEAM, "urgent": URGENT, "anger": ANGER}


async def decide(client: Client, **arguments: Any) -> dict[str, Any]:
    """The structured answer of a call that works."""
    result = await client.call_tool("decide", {"questions": QUESTIONS, **arguments})
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    return result.structured_content


async def refusal(client: Client, **arguments: Any) -> str:
    """The text of a call that fails."""
    result = await client.call_tool("decide", {"questions": QUESTIONS, **arguments})
    assert result.is_error, text_of(result)
    return text_of(result)


def states(upstream: Upstream) -> list[Any]:
    """What was sent, in whichever order."""
    return [post.body["state"] for post in upstream.posts(PATH)]


def picture() -> bytes:
    """A PNG of one dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


async def test_each_question_is_answered_with_its_value_and_probabilities(connect: Connect, upstream: Upstream):
    async with connect() as client:
        result = await client.call_tool("decide", {"questions": QUESTIONS, "state": "I was charged twice."})
    answer = result.structured_content
    team, urgent, anger = answer["answers"]
    assert (team["row"], team["name"]) == (0, "team")
    assert team["value"] in TEAM["options"]
    assert team["probabilities"].keys() == set(TEAM["options"])
    assert team["confidence"] == max(team["probabilities"].values())
    assert urgent["value"] is (urgent["probabilities"]["yes"] >= 0.5)
    assert anger["probabilities"].keys() == set(ANGER["options"])
    assert 0 <= anger["value"] <= 2
    assert answer["cost_usd"] <= answer["cost_estimate_usd"]["most"]
    assert f"team={team['value']}" in text_of(result)
    assert upstream.posts(PATH)[0].body["model"] == "typesafe/jev-1"


async def test_what_is_sent_and_what_comes_is_what_the_official_sdk_knows(connect: Connect, upstream: Upstream):
    sides = {"type": "yes_no", "instructions": "Urgent?", "options": {"yes": "today", "no": "any day"}}
    named = {"type": "choice", "instructions": "Which?", "options": {"a": "the first", "b": ""}}
    async with connect(OR_MCP_PROVIDERS_IGNORE="openai") as client:
        await decide(client, questions={**QUESTIONS, "sides": sides, "named": named}, rows=["one", "two"])
    for post in upstream.posts(PATH):
        read = DecisionsRequest.model_validate(post.body)
        assert read.model_dump(mode="json", exclude_unset=True) == post.body
        assert post.body["provider"] == {"ignore": ["openai"]}
    asked = upstream.posts(PATH)[0].body["questions"]
    assert asked["urgent"] == {"type": "noul", "instructions": "Is it urgent?"}
    assert asked["sides"]["criteria"] == {"true": "today", "false": "any day"}
    assert asked["team"]["criteria"] == {"billing": None, "technical": None}
    assert asked["named"]["criteria"] == {"a": "the first", "b": None}
    assert asked["anger"]["criteria"] == ANGER["options"]


async def test_every_answer_of_the_official_sdk_can_be_read(connect: Connect, upstream: Upstream):
    shares = {"0": 0.2, "1": 0.5, "2": 0.3}
    reply = {
        "model": "typesafe/jev-1",
        "answers": {
            "team": {"type": "choice", "choice": "technical"},
            "urgent": {"type": "noul", "noul": 0.25},
            "anger": {"type": "score", "score": 1.1, "legend": {"0": "calm"}, "probabilities": shares},
        },
        "usage": {"input_tokens": 5, "output_tokens": 3},
        "something": "new",
    }
    DecisionsResponse.model_validate(reply)
    upstream.script({"match": {"path": PATH}, "body": reply})
    async with connect() as client:
        answer = await decide(client, state="x")
    team, urgent, anger = answer["answers"]
    assert team == {"row": 0, "name": "team", "value": "technical"}
    assert (urgent["value"], urgent["confidence"]) == (False, 0.75)
    assert anger["probabilities"] == {"calm": 0.2, "annoyed": 0.5, "furious": 0.3}
    assert answer["cost_usd"] is None


GOOD = {
    "team": {"type": "choice", "choice": "billing"},
    "urgent": {"type": "noul", "noul": 0.5},
    "anger": {"type": "score", "score": 1},
}


@pytest.mark.parametrize(
    ("name", "came"),
    [
        ("team", {"type": "choice", "choice": "sales"}),
        ("team", {"type": "choice", "choice": ["billing"]}),
        ("team", {"type": "choice", "choice": "billing", "probabilities": {"other": 1}}),
        ("team", {"type": "choice", "choice": "billing", "probabilities": [0.5, 0.5]}),
        ("team", {"type": "choice", "choice": "billing", "confidence": "high"}),
        ("team", {"type": "refusal"}),
        ("team", {"type": "label", "choice": "billing"}),
        ("team", "billing"),
        ("team", None),
        ("urgent", {"type": "noul", "noul": 85}),
        ("urgent", {"type": "noul", "noul": True}),
        ("urgent", {"type": "noul"}),
        ("anger", {"type": "score", "score": 7}),
        ("anger", {"type": "score", "score": "1"}),
    ],
)
async def test_a_changed_shape_is_a_failure_that_says_what_came(
    connect: Connect, upstream: Upstream, name: str, came: Any
):
    usage = {"input_tokens": 5, "output_tokens": 3, "cost": 0.0004}
    upstream.script({"match": {"path": PATH}, "body": {"model": "m", "answers": GOOD | {name: came}, "usage": usage}})
    async with connect() as client:
        told = await refusal(client, state="x")
    assert told.startswith("upstream_failed: ")
    assert repr(name) in told
    assert json.dumps(came, separators=(",", ":")).replace('"', "'")[:40] in told
    assert "Spent: $0.0004" in told


@pytest.mark.parametrize("body", [{"answers": []}, {"results": {}}, [1], {"answers": {}}])
async def test_an_answer_without_answers_is_a_failure_too(connect: Connect, upstream: Upstream, body: Any):
    upstream.script({"match": {"path": PATH}, "body": body})
    async with connect() as client:
        assert (await refusal(client, state="x")).startswith("upstream_failed: ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"questions": {}}, "questions is empty"),
        ({"questions": {"a": "which?"}}, "questions.a is no object"),
        ({"questions": {"a": {"type": "maybe", "instructions": "x"}}}, "takes choice, yes_no, score, box"),
        ({"questions": {"a": {"type": "yes_no"}}}, "questions.a.instructions is missing"),
        ({"questions": {"a": {**TEAM, "criteria": {}}}}, "questions.a.criteria is unknown"),
        ({"questions": {"a": {**TEAM, "options": ["one"]}}}, "takes at least two for choice"),
        ({"questions": {"a": {**TEAM, "options": ["one", "one"]}}}, "takes different texts"),
        ({"questions": {"a": {**TEAM, "options": {"x": 1, "y": 2}}}}, "each with a text that describes it"),
        ({"questions": {"a": {**URGENT, "options": ["today", "later"]}}}, "options of a yes_no"),
        ({"questions": {"a": {"type": "box", "instructions": "the cat"}}}, "attach one"),
        ({"state": ""}, "state is missing"),
        ({"rows": ["b"]}, "state and rows were both given"),
        ({"state": "", "rows": ["a", " "]}, "rows[1] is empty"),
        ({"state": "", "rows": ["a"] * 1001}, "at most 1000"),
        ({"state": "", "rows": ["a"], "rows_file": "x.jsonl"}, "rows and rows_file were both given"),
        ({"model": "openai/gpt-5-mini"}, "not decisions"),
        ({"attachments": ["https://example.com/a.png"]}, "fetch no URLs"),
    ],
)
async def test_what_cannot_work_is_refused_before_anything_is_sent(
    connect: Connect, upstream: Upstream, arguments: dict[str, Any], told: str
):
    async with connect() as client:
        words = await refusal(client, **{"state": "a", **arguments})
    assert told in words
    assert "Spent: nothing" in words
    assert not upstream.posts(PATH)


async def test_rows_of_a_file_are_texts_or_objects(connect: Connect, upstream: Upstream, tmp_path: Path):
    rows = ["a text", {"subject": "hello", "body": "world"}]
    (tmp_path / "rows.jsonl").write_text("\n\n".join(map(json.dumps, rows)), encoding="utf-8")
    async with connect() as client:
        answer = await decide(client, rows_file=str(tmp_path / "rows.jsonl"))
    assert sorted(map(str, states(upstream))) == sorted(map(str, rows))
    assert [each["row"] for each in answer["answers"] if each["name"] == "team"] == [0, 1]


@pytest.mark.parametrize("line", ["[1]", "plain words", "{}", '{"a": NaN}', '"\\ud800"', "null"])
async def test_a_line_that_is_no_row_is_named(connect: Connect, upstream: Upstream, tmp_path: Path, line: str):
    (tmp_path / "rows.jsonl").write_text(f'"one"\n{line}\n', encoding="utf-8")
    async with connect() as client:
        assert "line 2 of" in await refusal(client, rows_file=str(tmp_path / "rows.jsonl"))
    assert not upstream.posts(PATH)


async def test_pictures_stand_in_the_state_beside_each_text(connect: Connect, upstream: Upstream, tmp_path: Path):
    (tmp_path / "dot.png").write_bytes(picture())
    (tmp_path / "rules.txt").write_text("Only dots are allowed.", encoding="utf-8")
    box = {"where": {"type": "box", "instructions": "the dot"}}
    files = [str(tmp_path / "dot.png"), str(tmp_path / "rules.txt")]
    async with connect() as client:
        answer = await decide(client, questions=box, state="look", attachments=files)
    text, dot, rules = upstream.posts(PATH)[0].body["state"]
    assert text == "look"
    assert dot["type"] == "image_url"
    assert dot["image_url"]["url"].startswith("data:image/png;base64,")
    assert "Only dots are allowed." in rules
    assert answer["answers"][0]["value"].keys() == {"left", "top", "right", "bottom"}
    DecisionsRequest.model_validate(upstream.posts(PATH)[0].body)


async def test_without_a_key_it_says_how_to_get_one(connect: Connect, upstream: Upstream):
    async with connect(OPENROUTER_API_KEY="") as client:
        assert (await refusal(client, state="x")).startswith("not_authorized: ")
    assert not upstream.posts(PATH)


async def test_the_same_question_that_was_not_received_is_not_paid_again(connect: Connect, upstream: Upstream):
    upstream.script({"match": {"path": PATH}, "latency_ms": 300})
    async with connect() as client:
        first = await decide(client, state="x", wait_seconds=0)
        assert first["status"] == "running"
        second = await decide(client, state="x", wait_seconds=30)
    assert second["run_id"] == first["run_id"]
    assert second["replayed"]
    assert len(upstream.posts(PATH)) == 1


async def test_the_daily_budget_holds_for_rows_too(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_DAILY_BUDGET_USD="0.0000001") as client:
        told = await refusal(client, rows=["a text"] * 3)
    assert told.startswith("over_budget: ")
    assert not upstream.posts(PATH)
