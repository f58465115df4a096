"""What a run promises: never lost, never paid twice."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.conftest import Connect, Upstream, text_of

pytestmark = pytest.mark.usefixtures("database_url")

FUSE = {"prompt": "Monolith or microservices?", "web": False}


async def until_finished(client: Any, run_id: str) -> Any:
    result = await client.call_tool("run", {"run_id": run_id, "wait_seconds": 20})
    assert result.structured_content["status"] != "running"
    return result


async def test_a_call_answers_running_before_its_host_gives_up_and_the_run_goes_on(
    connect: Connect, upstream: Upstream
):
    upstream.script({"path": "/responses", "duration_s": 2})
    async with connect() as client:
        begun = await client.call_tool("fuse", FUSE | {"wait_seconds": 0})
        told = begun.structured_content
        assert (told["status"], told["answer"], told["cost_usd"]) == ("running", "", None)
        assert f"call run with run_id {told['run_id']!r}" in text_of(begun)
        finished = await until_finished(client, told["run_id"])
    assert finished.structured_content["outcome"] == "fused"
    assert finished.structured_content["tool"] == "fuse"
    assert len(upstream.posts()) == 1


async def test_the_hosts_patience_is_the_operators_to_set(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 3})
    async with connect(OR_MCP_WAIT_SECONDS="0.2") as client:
        begun = await client.call_tool("fuse", FUSE)
    assert begun.structured_content["status"] == "running"


async def test_twenty_identical_calls_are_one_paid_run(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 1})
    answers: list[Any] = []

    async def fuse(client: Any) -> None:
        answers.append((await client.call_tool("fuse", FUSE)).structured_content)

    async with connect() as one, connect() as two, anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(fuse, (one, two)[number % 2])
    assert len(upstream.posts()) == 1
    assert len(answers) == 20
    assert len({answer["run_id"] for answer in answers}) == 1
    assert {answer["answer"] for answer in answers} == {answers[0]["answer"]}
    assert sum(answer["replayed"] for answer in answers) == 19


async def test_a_finished_run_nobody_received_is_delivered_instead_of_paid_again(connect: Connect, upstream: Upstream):
    async with connect() as client:
        begun = await client.call_tool("fuse", FUSE | {"wait_seconds": 0})
        with anyio.fail_after(120):
            while not (await client.call_tool("run", {})).structured_content["runs"][0].get("outcome"):
                await anyio.sleep(0.02)
        again = await client.call_tool("fuse", FUSE)
        new = await client.call_tool("fuse", FUSE)
    assert again.structured_content["replayed"] is True
    assert again.structured_content["run_id"] == begun.structured_content["run_id"]
    assert any("nothing was paid now" in note for note in again.structured_content["notes"])
    assert new.structured_content["replayed"] is False
    assert len(upstream.posts()) == 2


async def test_another_key_does_not_join_a_run(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 1})
    async with connect() as one, connect(OPENROUTER_API_KEY="sk-or-other") as two:
        begun = await one.call_tool("fuse", FUSE | {"wait_seconds": 0})
        other = await two.call_tool("fuse", FUSE | {"wait_seconds": 0})
        hidden = await two.call_tool("run", {"run_id": begun.structured_content["run_id"]})
    assert other.structured_content["replayed"] is False
    assert text_of(hidden).startswith("not_found:")
    assert len(upstream.posts()) == 2


async def test_a_run_that_takes_too_long_is_stopped_and_keeps_what_arrived(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "stall_at_event": 16})
    async with connect(OR_MCP_RUN_DEADLINE_SECONDS="1") as client:
        told = text_of(await client.call_tool("fuse", FUSE))
        run_id = told.partition("Run: ")[2].split()[0]
        kept = (await client.call_tool("run", {"run_id": run_id, "part": "panel"})).structured_content
    assert told.startswith("deadline: The run was stopped after 1 s")
    assert "[simulated]" in kept["text"]
    assert upstream.open_streams == 0


async def test_cancelling_a_run_call_only_stops_the_waiting(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 2})
    async with connect() as client:
        begun = (await client.call_tool("fuse", FUSE | {"wait_seconds": 0})).structured_content
        with anyio.move_on_after(0.3):
            await client.call_tool("run", {"run_id": begun["run_id"], "wait_seconds": 30})
        finished = await until_finished(client, begun["run_id"])
    assert finished.structured_content["status"] == "completed"


async def test_another_process_waits_for_a_run_reads_it_and_stops_it(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 1.5, "times": 1}, {"path": "/responses", "never_ends": True})
    async with connect() as one, connect() as two:
        begun = (await one.call_tool("fuse", FUSE | {"wait_seconds": 0})).structured_content
        finished = await until_finished(two, begun["run_id"])
        assert finished.structured_content["outcome"] == "fused"


async def test_the_request_and_the_events_of_a_run_can_be_read(connect: Connect):
    async with connect() as client:
        run_id = (await client.call_tool("fuse", FUSE | {"temperature": 0.3})).structured_content["run_id"]
        request = await client.call_tool("run", {"run_id": run_id, "part": "request"})
        events = await client.call_tool("run", {"run_id": run_id, "part": "events"})
        nobody = await client.call_tool("run", {"run_id": run_id, "part": "panel", "model": "a/b"})
        beyond = await client.call_tool("run", {"run_id": run_id, "part": "result", "offset": 10**6})
    assert '"temperature": 0.3' in request.structured_content["text"]
    for step in (
        "accepted",
        "panelist_started",
        "panelist_answered",
        "analysis_finished",
        "answer_started",
        "finished",
    ):
        assert step in events.structured_content["text"]
    assert text_of(nobody).startswith("not_found: 'a/b' is not on the panel")
    assert "offset was 1000000" in text_of(beyond)


async def test_without_a_store_calls_work_and_that_is_said(connect: Connect):
    async with connect(OR_MCP_STORE="off") as client:
        result = await client.call_tool("fuse", FUSE)
        found = await client.call_tool("run", {"run_id": result.structured_content["run_id"]})
    assert any("in memory only" in note for note in result.structured_content["notes"])
    assert found.structured_content["answer"] == result.structured_content["answer"]


async def test_no_key_is_ever_stored(connect: Connect, environment: dict[str, str]):
    async with connect(OPENROUTER_API_KEY="sk-or-SECRETSECRET") as client:
        await client.call_tool("fuse", FUSE)
    for path in Path(environment["OR_MCP_DATA_DIR"]).rglob("*"):
        if path.is_file():
            assert b"SECRETSECRET" not in path.read_bytes()


@pytest.mark.usefixtures("forgets_at_once")
@pytest.mark.parametrize("database_url", [None])
async def test_runs_older_than_the_retention_are_forgotten(connect: Connect, environment: dict[str, str]):
    async with connect() as client:
        old = (await client.call_tool("fuse", FUSE)).structured_content["run_id"]
    with closing(sqlite3.connect(Path(environment["OR_MCP_DATA_DIR"]) / "runs.sqlite3")) as store, store:
        store.execute("UPDATE runs SET started = started - 31 * 86400")
    async with connect() as client:
        new = (await client.call_tool("fuse", FUSE)).structured_content["run_id"]
        kept = [row["run_id"] for row in (await client.call_tool("run", {})).structured_content["runs"]]
    assert (new in kept, old in kept) == (True, False)
