"""While the database is away, runs go on, nothing they bring is lost, and nothing new is paid."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.conftest import Upstream, text_of
from tests.fleet.conftest import Hosts
from tests.fleet.proxy import Proxy
from tests.fleet.test_shared import ask
from tests.postgres import Postgres, needs_postgres
from tests.runs.program import started

pytestmark = needs_postgres
FUSE = {"prompt": "Monolith or microservices?", "web": False, "wait_seconds": 0}


async def ended(client: Client, run_id: str) -> dict[str, Any]:
    """How a run stands in the end."""
    with anyio.fail_after(120):
        while True:
            told = await client.call_tool("run", {"run_id": run_id, "wait_seconds": 10})
            if not told.is_error and told.structured_content["status"] != "running":
                return told.structured_content


@pytest.mark.parametrize("trouble", [Proxy.refuse, Proxy.hold])
async def test_runs_in_flight_outlast_a_database_that_is_away_and_are_written_when_it_is_back(
    hosts: Hosts,
    upstream: Upstream,
    proxies: Callable[[], Proxy],
    postgres: Postgres,
    database: str,
    trouble: Callable[[Proxy], None],
):
    # None has ended, and is read from the database, when that is away.
    upstream.script({"path": "/chat/completions", "latency_ms": 5000, "times": 10})
    way, runs = proxies(), list[str]()
    async with hosts(1, through=(way,)) as (one,):

        async def begin(number: int) -> None:
            begun: Any = await one.call_tool("ask", ask(number, wait_seconds=0))
            runs.append(begun.structured_content["run_id"])

        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(begin, number)
        trouble(way)
        told = [await ended(one, run_id) for run_id in runs]
        assert [each["status"] for each in told] == ["completed"] * 10
        assert postgres.execute("SELECT count(*) FROM runs WHERE status = 'running'", database) == [(10,)]
        way.release()
    assert postgres.execute("SELECT DISTINCT status FROM runs", database) == [("completed",)]
    assert len(upstream.posts()) == 10


async def test_a_new_call_waits_for_the_database_and_is_sent_when_it_is_back(
    hosts: Hosts, upstream: Upstream, proxies: Callable[[], Proxy]
):
    way, answers = proxies(), list[Any]()
    async with hosts(1, through=(way,)) as (one,), anyio.create_task_group() as group:
        way.refuse()

        async def call() -> None:
            answers.append(await one.call_tool("ask", ask()))

        group.start_soon(call)
        with anyio.fail_after(120):
            while way.refused < 3:
                await anyio.sleep(0.05)
        assert not upstream.posts()
        way.release()
    assert not answers[0].is_error
    assert len(upstream.posts()) == 1


async def test_a_call_is_refused_with_nothing_sent_where_the_database_stays_away(
    hosts: Hosts, upstream: Upstream, proxies: Callable[[], Proxy], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("or_mcp.runs.store._FLEET_PATIENCE_SECONDS", 0.5)
    way = proxies()
    async with hosts(1, through=(way,)) as (one,):
        way.refuse()
        told = text_of(await one.call_tool("ask", ask()))
        way.release()
    assert told.startswith("internal: The run store cannot be reached (")
    assert "nothing was sent" in told
    assert "secret-of-the-database" not in told
    assert not upstream.posts()


async def test_what_a_killed_host_brought_while_the_database_was_away_is_uploaded_by_the_next_on_its_disk(
    environment: dict[str, str], upstream: Upstream, proxies: Callable[[], Proxy], postgres: Postgres, database: str
):
    upstream.script({"path": "/responses", "stall_at_event": 24})
    way = proxies()
    there = environment | {"OR_MCP_DATABASE_URL": postgres.url(database, way.port)}
    async with started(there) as server:
        begun: Any = await server.client.call_tool("fuse", FUSE)
        run_id = begun.structured_content["run_id"]
        way.refuse()
        outbox = Path(environment["OR_MCP_DATA_DIR"]) / "outbox.sqlite3"
        with anyio.fail_after(120):
            while not (outbox.exists() and await settled(server.client, run_id)):
                await anyio.sleep(0.1)
        before = await panel(server.client, run_id)
        last = json.dumps(before.split()[-1]).strip('"')
        with anyio.fail_after(120):
            while last not in kept_in(outbox):
                await anyio.sleep(0.1)
        await server.kill()
    assert len(before) > 100
    way.release()
    async with started(there) as server:
        with anyio.fail_after(120):
            while (await server.client.call_tool("run", {"run_id": run_id})).structured_content["status"] == "running":
                await anyio.sleep(0.1)
        assert await panel(server.client, run_id) == before
    [(result,)] = postgres.execute("SELECT result FROM runs", database)
    assert json.loads(result)


def kept_in(outbox: Path) -> str:
    """What an outbox holds of runs."""
    with closing(sqlite3.connect(outbox)) as file:
        return "".join(result for (result,) in file.execute("SELECT result FROM runs"))


async def settled(client: Any, run_id: str) -> bool:
    """Whether nothing more is coming: upstream stalls."""
    first = await panel(client, run_id)
    await anyio.sleep(0.5)
    return first != "" and await panel(client, run_id) == first


async def panel(client: Any, run_id: str) -> str:
    told = await client.call_tool("run", {"run_id": run_id, "part": "panel"})
    # Who had not answered has failed once the run has ended.
    return "" if told.is_error else told.structured_content["text"].replace("(failed)", "(pending)")
