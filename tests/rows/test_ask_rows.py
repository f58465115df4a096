"""`ask` about many rows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from openrouter.components import ChatRequest

from tests.cli.test_terminal import terminal
from tests.conftest import Connect, Upstream, text_of

PATH = "/chat/completions"
ASK = {"model": "openai/gpt-4o-mini", "prompt": "Who is {name}?"}
ROWS = [{"name": f"person-{n:03}", "age": n} for n in range(20)]


async def ask(client: Client, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool("ask", {**ASK, **arguments})
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    return result.structured_content


def questions(upstream: Upstream) -> list[str]:
    return [post.body["messages"][-1]["content"] for post in upstream.posts(PATH)]


async def test_each_row_is_a_question_of_its_own(connect: Connect, upstream: Upstream):
    system = 'They are {age}. Answer as {"a": 1}.'
    async with connect() as client:
        answer = await ask(client, rows=ROWS, instructions=system)
    assert sorted(questions(upstream)) == [f"Who is {row['name']}?" for row in ROWS]
    first = next(post for post in upstream.posts(PATH) if "person-007" in str(post.body["messages"]))
    assert first.body["messages"][0]["content"] == 'They are 7. Answer as {"a": 1}.'
    assert [row["row"] for row in answer["results"]] == list(range(len(ROWS)))
    assert answer["rows"] == {"total": 20, "answered": 20, "failed": 0}
    assert answer["cost_usd"] <= answer["cost_estimate_usd"]["most"]
    for post in upstream.posts(PATH):
        ChatRequest.model_validate(post.body)
    lines = [json.loads(line) for line in Path(answer["file"]["path"]).read_text(encoding="utf-8").splitlines()]
    assert [line["row"] for line in lines] == list(range(len(ROWS)))
    assert [line["text"] for line in lines] == [row["text"] for row in answer["results"]]


async def test_what_is_only_set_aside_is_not_told_as_spent_while_rows_are_under_way(
    connect: Connect, upstream: Upstream
):
    upstream.script({"path": PATH, "stall_at_event": 0})
    async with connect() as client:
        result = await client.call_tool("ask", {**ASK, "rows": ROWS, "wait_seconds": 0.5})
    first = text_of(result).splitlines()[0]
    assert first.startswith("Running · 0/20 answered")
    assert "$" not in first


async def test_what_a_row_holds_is_never_taken_for_a_column(connect: Connect, upstream: Upstream):
    async with connect() as client:
        await ask(client, prompt="{a} and {b}", rows=[{"a": "{b}", "b": "{a}"}])
    assert questions(upstream) == ["{b} and {a}"]


async def test_lines_of_a_file_are_rows_too(connect: Connect, upstream: Upstream, tmp_path: Path):
    (tmp_path / "rows.jsonl").write_text('{"text": "one"}\n"two"\n', encoding="utf-8")
    async with connect() as client:
        answer = await ask(client, prompt="Translate: {text}", rows_file=str(tmp_path / "rows.jsonl"))
    assert sorted(questions(upstream)) == ["Translate: one", "Translate: two"]
    assert len(answer["results"]) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"prompt": "Hello?"}, "prompt names no column of the rows; it takes {age}, {name}"),
        ({"rows": [{"name": "a"}, {"age": 1}]}, "row 1 has no column 'name'"),
        ({"continue_run": "run_x"}, "continue_run cannot go with them"),
        ({"tools": [{"name": "f"}]}, "tools cannot go with them"),
        ({"rows": ["a"]}, "rows[0]"),
        ({"rows_file": "x.jsonl"}, "rows and rows_file were both given"),
    ],
)
async def test_what_cannot_work_is_refused_before_anything_is_sent(
    connect: Connect, upstream: Upstream, arguments: dict[str, Any], told: str
):
    async with connect() as client:
        result = await client.call_tool("ask", {**ASK, "rows": ROWS, **arguments})
    assert result.is_error
    assert told in text_of(result)
    assert not upstream.posts(PATH)


async def test_one_row_that_fails_costs_one_row_and_is_all_that_is_asked_again(connect: Connect, upstream: Upstream):
    upstream.script({"match": {"path": PATH, "contains": "person-004"}, "status": 400, "message": "no"})
    async with connect() as client:
        answer = await ask(client, rows=ROWS)
        assert answer["rows"] == {"total": 20, "answered": 19, "failed": 1}
        upstream.script()
        whole = await ask(client, rows=ROWS)
    assert whole["rows"] == {"total": 20, "answered": 20, "failed": 0}
    times = Counter(questions(upstream))
    assert {question for question, count in times.items() if count > 1} == {"Who is person-004?"}


async def test_the_run_stays_within_its_ceiling_and_goes_on_with_more(connect: Connect, upstream: Upstream):
    upstream.script({"path": PATH, "greedy": True})
    limits = {"max_output_tokens": 1000}
    async with connect() as client:
        one = await ask(client, rows=ROWS[:1], **limits)
        most = one["cost_estimate_usd"]["most"] * 5.5
        answer = await ask(client, rows=ROWS, max_cost_usd=most, **limits)
        assert 5 <= answer["rows"]["answered"] < 20
        assert answer["cost_usd"] <= most
        whole = await ask(client, rows=ROWS, max_cost_usd=1, **limits)
    assert whole["rows"]["answered"] == 20
    assert len(upstream.posts(PATH)) == 21


async def test_a_router_may_answer_rows_within_the_ceiling(connect: Connect, upstream: Upstream):
    async with connect() as client:
        answer = await ask(client, model="openrouter/auto", rows=ROWS)
    assert answer["rows"]["answered"] == 20
    assert answer["cost_estimate_usd"]["most"] <= 5
    assert upstream.posts(PATH)[0].body["provider"]["max_price"]


async def test_rows_can_be_held_to_a_shape(connect: Connect, upstream: Upstream):
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    async with connect() as client:
        answer = await ask(client, rows=ROWS[:3], json_schema=schema)
    assert all(isinstance(row["json"]["age"], int) for row in answer["results"])


async def test_a_run_of_rows_is_no_conversation_to_go_on_from(connect: Connect):
    async with connect() as client:
        answer = await ask(client, rows=ROWS[:2])
        result = await client.call_tool("ask", {**ASK, "continue_run": answer["run_id"]})
    assert "is one of many rows" in text_of(result)


async def test_run_brings_the_rows_back(connect: Connect):
    async with connect() as client:
        answer = await ask(client, rows=ROWS)
        again = (await client.call_tool("run", {"run_id": answer["run_id"]})).structured_content
    assert again["results"] == answer["results"]


async def test_a_terminal_asks_rows_of_a_file_and_writes_all_answers(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
):
    upstream.script({"match": {"path": PATH, "contains": "person-004"}, "status": 400, "message": "no"})
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    asked = ["ask", ASK["model"], ASK["prompt"], "--rows", str(rows), "--out", str(out)]
    done = await terminal(environment, *asked)
    assert done.returncode == 0, done.stderr.decode()
    assert "19 of 20 answered, 1 failed" in done.stderr.decode()
    assert "19 of 20 rows answered." in done.stdout.decode()
    assert "row 4: " in done.stdout.decode()
    upstream.script()
    await terminal(environment, *asked)
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["row"] for line in lines] == list(range(20))
    assert all("text" in line for line in lines)
    assert len(upstream.posts(PATH)) == 21


async def test_a_file_that_cannot_be_written_is_said_and_nothing_is_lost(environment: dict[str, str], tmp_path: Path):
    (tmp_path / "rows.jsonl").write_text('{"name": "a"}', encoding="utf-8")
    out = str(tmp_path / "nowhere" / "out.jsonl")
    rows = str(tmp_path / "rows.jsonl")
    done = await terminal(environment, "ask", ASK["model"], ASK["prompt"], "--rows", rows, "--out", out)
    assert done.returncode == 1
    assert "--out could not be written" in done.stderr.decode()


async def test_out_without_rows_is_wrong_usage(environment: dict[str, str]):
    assert (await terminal(environment, "ask", ASK["model"], "Hello?", "--out", "x")).returncode == 2
