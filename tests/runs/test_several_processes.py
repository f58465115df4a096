"""Processes that share a data directory: any of them follows, stops and mourns what another carries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import Any

import anyio
import pytest

from or_mcp.runs import queries
from or_mcp.runs.store import Store
from or_mcp.runs.transaction import Transaction
from or_mcp.server import Program
from or_mcp.settings import read_settings
from tests.conftest import Connect, Upstream
from tests.runs.program import started

pytestmark = pytest.mark.usefixtures("database_url")

FUSE = {"prompt": "Monolith or microservices?", "web": False, "wait_seconds": 0}


async def test_a_run_of_another_process_is_heard_of_waited_for_and_read(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 3})
    heard: list[tuple[float, str]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, message or ""))

    async with connect() as one, connect(mode="legacy") as two:
        run_id = (await one.call_tool("fuse", FUSE)).structured_content["run_id"]
        wait = {"run_id": run_id, "wait_seconds": 20}
        there = await two.call_tool("run", wait, progress_callback=hear)
        at = monotonic()
        here = await one.call_tool("run", wait)
        assert monotonic() - at < 1
    assert there.structured_content == here.structured_content
    assert there.structured_content["outcome"] == "fused"
    assert [done for done, _ in heard] == sorted({done for done, _ in heard})
    assert any("answered" in message for _, message in heard), heard


async def test_however_many_wait_for_runs_of_another_process_the_store_is_looked_at_once_for_all(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    upstream.script({"path": "/chat/completions", "duration_s": 4})
    asks: list[int] = []
    looks = queries.looks

    def counted(tx: Transaction, run_ids: Sequence[str], owner: str) -> tuple[dict[str, queries.Look], list[str]]:
        if run_ids:
            asks.append(len(run_ids))
        return looks(tx, run_ids, owner)

    monkeypatch.setattr(queries, "looks", counted)
    question = {"model": "openai/gpt-5-mini", "wait_seconds": 0}
    waited: list[Any] = []
    async with connect() as one, connect(mode="legacy") as two:
        runs: list[str] = []
        for number in range(3):
            begun: Any = await one.call_tool("ask", question | {"prompt": f"Question {number}?"})
            runs.append(begun.structured_content["run_id"])

        async def wait(run_id: str) -> None:
            waited.append(await two.call_tool("run", {"run_id": run_id, "wait_seconds": 100}))

        began = monotonic()
        async with anyio.create_task_group() as tasks:
            for number in range(60):
                tasks.start_soon(wait, runs[number % 3])
        elapsed = monotonic() - began
    assert {each.structured_content["status"] for each in waited} == {"completed"}
    assert 0 < len(asks) <= elapsed / 0.3 + 2
    assert max(asks) == 3


async def test_the_same_question_in_another_process_joins_the_run(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 1.5})
    async with connect() as one, connect() as two:
        begun = await one.call_tool("fuse", FUSE)
        joined = await two.call_tool("fuse", FUSE | {"wait_seconds": 20})
    assert joined.structured_content["run_id"] == begun.structured_content["run_id"]
    assert joined.structured_content["replayed"]
    assert joined.structured_content["outcome"] == "fused"
    assert len(upstream.posts()) == 1


@pytest.mark.slow
async def test_what_a_killed_process_left_is_ended_and_its_cost_learnt_by_one_that_lives_without_being_asked(
    upstream: Upstream, environment: dict[str, str]
):
    upstream.script({"path": "/responses", "stall_at_event": 20})
    async with Program(read_settings(environment)).running() as survivor:
        async with started(environment) as server:
            begun: Any = await server.client.call_tool("fuse", FUSE)
            run_id = begun.structured_content["run_id"]
            with anyio.fail_after(120):
                while not (await survivor.runner.everybodys().find(run_id)).generation_id:
                    await anyio.sleep(0.05)
            await server.kill()
        # Machines that share a database judge by its clock, after 30 seconds.
        with anyio.fail_after(120):
            while True:
                record = await survivor.runner.store.read(lambda tx: queries.find(tx, run_id, None))
                if record is not None and record.cost_usd is not None:
                    break
                await anyio.sleep(0.1)
    assert record.status == "interrupted"
    assert record.charged_usd == record.cost_usd
    assert record.result


async def test_who_begins_to_wait_while_the_store_is_being_looked_at_waits_to_the_end(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    upstream.script({"path": "/chat/completions", "duration_s": 3})
    looking, may_go_on, read = anyio.Event(), anyio.Event(), Store.read

    async def slowly(store: Store, work: Any) -> Any:
        found = await read(store, work)
        if isinstance(work, partial) and len(work.keywords.get("run_ids", ())) == 1 and not looking.is_set():
            looking.set()
            await may_go_on.wait()
        return found

    monkeypatch.setattr(Store, "read", slowly)
    question = {"model": "openai/gpt-5-mini", "wait_seconds": 0}
    told: list[str] = []
    async with connect() as one, connect() as two:
        begun: list[Any] = [await one.call_tool("ask", question | {"prompt": f"Question {n}?"}) for n in range(2)]
        first, second = (each.structured_content["run_id"] for each in begun)

        async def wait(run_id: str) -> None:
            seen: Any = await two.call_tool("run", {"run_id": run_id, "wait_seconds": 100})
            told.append(seen.structured_content["status"])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait, first)
            with anyio.fail_after(60):
                await looking.wait()
            tasks.start_soon(wait, second)
            # It is waited for as soon as it was found.
            for _ in range(20):
                await anyio.sleep(0.02)
            may_go_on.set()
    assert told == ["completed"] * 2
