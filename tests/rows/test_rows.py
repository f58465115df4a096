"""Many rows in one run: order, trouble, budgets, and what was paid before."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.conftest import Connect, Upstream, text_of
from tests.tools.test_decide import PATH, URGENT, decide, states

QUESTIONS = {"urgent": URGENT}
ROWS = [f"row-{n:04}" for n in range(60)]


def answered(answer: dict[str, Any]) -> list[int]:
    return [each["row"] for each in answer["answers"]]


def failing(row: str, **effect: Any) -> dict[str, Any]:
    return {"match": {"path": PATH, "contains": row}, **effect}


async def test_answers_come_in_the_order_of_the_rows(connect: Connect, upstream: Upstream):
    upstream.script(failing("row-0003", latency_ms=300), failing("row-0001", latency_ms=150))
    async with connect() as client:
        answer = await decide(client, questions=QUESTIONS, rows=ROWS[:12])
    assert answered(answer) == list(range(12))
    assert sorted(states(upstream)) == ROWS[:12]


async def test_one_row_that_fails_costs_one_row(connect: Connect, upstream: Upstream):
    upstream.script(failing("row-0005", status=400, message="too odd"))
    async with connect() as client:
        result = await client.call_tool("decide", {"questions": QUESTIONS, "rows": ROWS[:12]})
    answer = result.structured_content
    assert answered(answer) == [n for n in range(12) if n != 5]
    assert answer["failed"][0]["row"] == 5
    assert "too odd" in answer["failed"][0]["error"]
    assert Counter(states(upstream)).most_common(1)[0][1] == 1
    assert answer["cost_usd"] is not None
    assert "11/12 rows" in text_of(result)


@pytest.mark.parametrize("effect", [{"status": 503}, {"status": 429}, {"status": 502, "retry_after": 0}])
async def test_a_row_that_was_not_billed_is_asked_again_alone(
    connect: Connect, upstream: Upstream, effect: dict[str, Any]
):
    upstream.script({"match": {"path": PATH, "contains": "row-0002", "times": 1}, **effect})
    async with connect() as client:
        answer = await decide(client, questions=QUESTIONS, rows=ROWS[:6])
    assert answered(answer) == list(range(6))
    times = Counter(states(upstream))
    assert times.pop("row-0002") == 2
    assert set(times.values()) == {1}


@pytest.mark.parametrize("effect", [{"reset": True}, {"malformed_json": True}, {"cut_at_event": 0}])
async def test_a_row_that_may_have_been_billed_is_not_asked_again(
    connect: Connect, upstream: Upstream, effect: dict[str, Any]
):
    upstream.script(failing("row-0002", **effect))
    async with connect() as client:
        answer = await decide(client, questions=QUESTIONS, rows=ROWS[:6])
    assert answered(answer) == [0, 1, 3, 4, 5]
    assert answer["cost_usd"] is None
    assert set(Counter(states(upstream)).values()) == {1}


async def test_what_a_doubtful_row_may_have_cost_is_all_that_stays_set_aside(connect: Connect, upstream: Upstream):
    upstream.script(failing("row-0002", reset=True))
    async with connect(OR_MCP_DAILY_BUDGET_USD="1") as client:
        answer = await decide(client, questions=QUESTIONS, rows=ROWS)
        left = (await client.call_tool("account", {})).structured_content["budget_left_usd"]
    assert answer["cost_usd"] is None
    assert 0 < 1 - left < answer["cost_estimate_usd"]["most"] / 4


async def test_rows_that_all_fail_end_the_run_before_all_are_sent(connect: Connect, upstream: Upstream):
    upstream.script({"match": {"path": PATH}, "status": 400, "message": "no such thing"})
    async with connect() as client:
        result = await client.call_tool("decide", {"questions": QUESTIONS, "rows": ROWS})
    assert result.is_error
    assert "no such thing" in text_of(result)
    assert "Spent: nothing" in text_of(result)
    assert len(upstream.posts(PATH)) < len(ROWS)


async def test_without_credit_the_rest_is_not_sent_and_what_came_is_kept(connect: Connect, upstream: Upstream):
    upstream.script({"match": {"path": PATH, "skip": 10}, "status": 402})
    async with connect() as client:
        answer = await decide(client, questions=QUESTIONS, rows=ROWS)
        assert len(answered(answer)) == 10
        assert "ended early" in " ".join(answer["notes"])
        assert len(upstream.posts(PATH)) <= 10 + 8
        upstream.script()
        whole = await decide(client, questions=QUESTIONS, rows=ROWS)
    assert answered(whole) == list(range(len(ROWS)))
    paid = Counter(states(upstream))
    assert all(paid[ROWS[n]] == 1 for n in answered(answer))


async def test_upstream_is_asked_more_slowly_when_it_says_so(connect: Connect, upstream: Upstream):
    upstream.script({"match": {"path": PATH, "times": 6}, "status": 429, "retry_after": 0.05})
    async with connect() as client:
        answer = await decide(client, questions=QUESTIONS, rows=ROWS)
    assert answered(answer) == list(range(len(ROWS)))
    assert len(upstream.posts(PATH)) == len(ROWS) + 6


async def test_a_run_ends_in_order_when_the_next_row_does_not_fit(connect: Connect, upstream: Upstream):
    async with connect() as client:
        one = await decide(client, questions=QUESTIONS, rows=ROWS[:1])
        # What is left when some have been answered at their real cost is less than what the next is set aside with.
        ceiling = one["cost_estimate_usd"]["most"] * 1.2
        answer = await decide(client, questions=QUESTIONS, rows=ROWS, max_cost_usd=ceiling)
        assert 1 <= len(answered(answer)) < len(ROWS)
        assert answer["cost_usd"] <= ceiling
        assert answer["cost_estimate_usd"]["most"] == pytest.approx(ceiling, abs=1e-6)
        assert "no longer fits" in " ".join(answer["notes"])
        before = len(upstream.posts(PATH))
        whole = await decide(client, questions=QUESTIONS, rows=ROWS, max_cost_usd=1)
    assert answered(whole) == list(range(len(ROWS)))
    assert len(upstream.posts(PATH)) - before == len(ROWS) - len(answered(answer))
    assert whole["cost_usd"] < answer["cost_usd"] * len(ROWS)


async def test_a_question_that_was_answered_in_full_is_a_new_one_when_asked_again(connect: Connect, upstream: Upstream):
    async with connect() as client:
        for _ in range(2):
            await decide(client, questions=QUESTIONS, rows=ROWS[:4])
    assert len(upstream.posts(PATH)) == 8


async def test_rows_that_failed_are_all_that_is_asked_again(connect: Connect, upstream: Upstream):
    upstream.script(failing("row-0005", status=400))
    async with connect() as client:
        await decide(client, questions=QUESTIONS, rows=ROWS[:12])
        upstream.script()
        whole = await decide(client, questions=QUESTIONS, rows=ROWS[:12])
    assert answered(whole) == list(range(12))
    assert "11 rows were taken over" in " ".join(whole["notes"])
    assert len(upstream.posts(PATH)) == 13


async def test_another_caller_or_another_question_takes_nothing_over(connect: Connect, upstream: Upstream):
    upstream.script(failing("row-0000", status=400))
    async with connect() as client:
        await decide(client, questions=QUESTIONS, rows=ROWS[:3])
    upstream.script()
    async with connect(OPENROUTER_API_KEY="sk-or-another") as client:
        assert answered(await decide(client, questions=QUESTIONS, rows=ROWS[:3])) == [0, 1, 2]
    async with connect() as client:
        await decide(client, questions={"other": URGENT}, rows=ROWS[:3])
    assert len(upstream.posts(PATH)) == 9


async def test_every_row_is_in_the_file_and_in_the_pages_of_run(connect: Connect, upstream: Upstream):
    upstream.script(failing("row-0007", status=400))
    async with connect() as client:
        answer = await decide(client, questions=QUESTIONS, rows=ROWS)
        lines = Path(answer["file"]["path"]).read_text(encoding="utf-8").splitlines()
        text, offset = "", 0
        while offset is not None:
            part = {"run_id": answer["run_id"], "part": "result", "offset": offset}
            page = (await client.call_tool("run", part)).structured_content
            text, offset = text + page["text"], page.get("next_offset")
    assert text.splitlines() == lines
    rows = [json.loads(line) for line in lines]
    assert [row["row"] for row in rows] == list(range(len(ROWS)))
    assert rows[0]["answers"][0]["name"] == "urgent"
    assert rows[7]["error"].startswith("invalid_request: ")


async def test_a_run_that_is_cancelled_keeps_its_rows_and_is_taken_up(connect: Connect, upstream: Upstream):
    upstream.script({"match": {"path": PATH, "skip": 20}, "latency_ms": 60_000})
    async with connect() as client:
        begun = await decide(client, questions=QUESTIONS, rows=ROWS, wait_seconds=0)
        with anyio.fail_after(30):
            while len(upstream.posts(PATH)) < 28:
                await anyio.sleep(0.05)
        shown = (await client.call_tool("run", {"run_id": begun["run_id"]})).structured_content
        assert len(answered(shown)) == 20
    async with connect() as client:
        shown = (await client.call_tool("run", {"run_id": begun["run_id"]})).structured_content
        assert shown["status"] == "interrupted"
        assert len(answered(shown)) == 20
        upstream.script()
        again = await decide(client, questions=QUESTIONS, rows=ROWS)
        assert len(answered(again)) == len(ROWS) - 8
        assert all("may have been billed" in row["error"] for row in again["failed"])
        assert set(Counter(states(upstream)).values()) == {1}
        whole = await decide(client, questions=QUESTIONS, rows=ROWS)
    assert answered(whole) == list(range(len(ROWS)))


async def test_progress_tells_how_many_rows_are_done(connect: Connect, upstream: Upstream):
    upstream.script({"match": {"path": PATH}, "latency_ms": 200})
    heard: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        heard.append(message or "")

    async with connect(mode="legacy") as client:
        await client.call_tool("decide", {"questions": QUESTIONS, "rows": ROWS}, progress_callback=hear)
    assert any("/60 answered" in message for message in heard)
