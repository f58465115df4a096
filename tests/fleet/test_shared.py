"""Several hosts, one database: what one does, all know, and nothing is paid twice."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import anyio
import pytest
from mcp import Client

from or_mcp.runs.engines.postgres import shared
from tests.conftest import Upstream, text_of
from tests.fleet.conftest import Hosts
from tests.fleet.proxy import Proxy
from tests.postgres import Postgres, needs_postgres

pytestmark = needs_postgres
MINI = "openai/gpt-5-mini"


def ask(number: int = 0, **more: Any) -> dict[str, Any]:
    return {"model": MINI, "prompt": f"Question {number}?", **more}


async def test_a_run_of_one_host_is_read_waited_for_and_gone_on_from_at_another(hosts: Hosts, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "duration_s": 1, "times": 1})
    async with hosts(2) as (one, two):
        run_id = (await one.call_tool("ask", ask(wait_seconds=0))).structured_content["run_id"]
        there = await two.call_tool("run", {"run_id": run_id, "wait_seconds": 20})
        here = await one.call_tool("run", {"run_id": run_id, "wait_seconds": 20})
        on = await two.call_tool("ask", {"model": MINI, "prompt": "And?", "continue_run": run_id})
    assert there.structured_content == here.structured_content
    assert there.structured_content["status"] == "completed"
    assert not on.is_error


@pytest.mark.parametrize(
    "times", [5, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)])]
)
async def test_the_same_question_at_three_hosts_at_once_is_paid_once(hosts: Hosts, upstream: Upstream, times: int):
    # Nobody has received an answer before the last has asked.
    upstream.script({"path": "/chat/completions", "latency_ms": 3000})
    runs: dict[int, set[str]] = {}

    async def call(client: Client, number: int) -> None:
        answer = await client.call_tool("ask", ask(number, wait_seconds=0))
        runs.setdefault(number, set()).add(answer.structured_content["run_id"])

    async with hosts(3, OR_MCP_DRAIN_SECONDS="60") as clients:
        for begin in range(0, times, 20):
            async with anyio.create_task_group() as group:
                for number in range(begin, min(begin + 20, times)):
                    for client in clients:
                        group.start_soon(call, client, number)
    assert [len(runs[number]) for number in range(times)] == [1] * times
    assert len(upstream.posts()) == times


async def test_a_question_asked_after_its_answer_was_received_is_a_new_one_however_slowly_that_is_written(
    hosts: Hosts, upstream: Upstream, proxies: Callable[[], Proxy], postgres: Postgres, database: str
):
    way, answers = proxies(), list[Any]()
    async with hosts(1, through=(way,), OR_MCP_DAILY_BUDGET_USD="10") as (one,), anyio.create_task_group() as group:
        await one.call_tool("ask", ask(wait_seconds=0))
        with anyio.fail_after(120):
            while (await one.call_tool("run", {})).structured_content["runs"][0]["status"] == "running":
                await anyio.sleep(0.02)
        received = way.hold_at(b"SET delivered")
        again = await one.call_tool("ask", ask())

        async def call() -> None:
            answers.append(await one.call_tool("ask", ask()))

        looked = way.hold_at(b"fingerprint = ", answer=True)
        group.start_soon(call)
        with anyio.fail_after(120):
            while not (received.has_come.is_set() and looked.has_come.is_set()):
                await anyio.sleep(0.02)
            # The answer of before still lies on its way while it is written that nobody may get it.
            received.release()
            while postgres.execute("SELECT delivered FROM runs", database) != [(1,)]:
                await anyio.sleep(0.02)
        looked.release()
        assert again.structured_content["replayed"] is True
    assert not answers[0].structured_content.get("replayed")
    assert len(upstream.posts()) == 2


async def test_a_run_is_stopped_from_another_host(
    hosts: Hosts, upstream: Upstream, environment: dict[str, str], tmp_path: Path, postgres: Postgres, database: str
):
    upstream.script({"path": "/chat/completions", "stall_at_event": 4})
    other = {"OR_MCP_DATABASE_URL": postgres.url(database), "OR_MCP_DATA_DIR": str(tmp_path / "other")}
    async with hosts(1) as (one,):
        run_id = (await one.call_tool("ask", ask(wait_seconds=0))).structured_content["run_id"]
        with anyio.fail_after(120):
            while not upstream.open_streams:
                await anyio.sleep(0.02)
        command = [sys.executable, "-m", "or_mcp", "runs", run_id, "--cancel", "--json"]
        done = await anyio.run_process(command, env=environment | other)
        assert json.loads(done.stdout)["status"] == "cancelled"
        assert upstream.open_streams == 0
        told = (await one.call_tool("run", {"run_id": run_id})).structured_content
    assert told["status"] == "cancelled"


async def test_a_budget_holds_over_all_hosts_in_every_sample(
    hosts: Hosts, upstream: Upstream, postgres: Postgres, database: str
):
    async with hosts(1) as (probe,):
        most = (await probe.call_tool("ask", ask(99))).structured_content["cost_estimate_usd"]["most"]
        spent = (await probe.call_tool("account", {})).structured_content["today"]["total_usd"]
    # None is settled, and makes room, before the last is asked.
    upstream.script({"path": "/chat/completions", "latency_ms": 5000})
    limit, samples, told = spent + most * 7.5, list[float](), list[str]()
    async with hosts(3, OR_MCP_DAILY_BUDGET_USD=f"{limit:.9f}") as clients:

        async def call(number: int) -> None:
            told.append(text_of(await clients[number % 3].call_tool("ask", ask(number))))

        async with anyio.create_task_group() as sampling:

            async def sample() -> None:
                while True:
                    query = "SELECT coalesce(sum(charged_usd), 0) FROM ledger WHERE scope LIKE 'payer:%' AND day <> ''"
                    rows = await anyio.to_thread.run_sync(postgres.execute, query, database)
                    samples.append(float(rows[0][0]) / 1e12)

            sampling.start_soon(sample)
            async with anyio.create_task_group() as group:
                for number in range(30):
                    group.start_soon(call, number)
            sampling.cancel_scope.cancel()
    assert max(samples) <= limit
    refused = [text for text in told if text.startswith("over_budget:")]
    assert len(upstream.posts()) == 31 - len(refused)
    assert refused


def test_all_who_come_at_once_to_a_new_database_are_served(postgres: Postgres):
    for _ in range(5):
        url, together = postgres.fresh(), Barrier(8)

        def come(number: int, url: str = url, together: Barrier = together) -> bytes:
            together.wait()
            return shared(url, "name", bytes([number]))

        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(come, range(8)))) == 1
