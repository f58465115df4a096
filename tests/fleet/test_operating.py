"""What those see who run a fleet and its database."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from or_mcp.runs.schema import VERSION
from or_mcp.simulator import Simulator
from tests.conftest import Connect, Upstream, text_of
from tests.fleet.conftest import Hosts
from tests.fleet.test_shared import ask
from tests.fleet.world import Host, fleet
from tests.postgres import Postgres, needs_postgres, server
from tests.serving.programs import fetched

pytestmark = needs_postgres
SECRET = "secret-of-the-database"
# A program of the next release: it adds to the tables, and leaves room for this one.
NEXT_RELEASE = """
import or_mcp.runs.schema as schema
schema.MIGRATIONS += ("ALTER TABLE runs ADD COLUMN mood TEXT NOT NULL DEFAULT 'fine'",)
schema.VERSION += 1
from or_mcp.cli import main
raise SystemExit(main())
"""


async def command(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return await anyio.run_process([sys.executable, "-m", "or_mcp", *arguments], env=environment, check=False)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_store_check_finds_a_ledger_that_is_not_the_sum_of_the_runs(
    connect: Connect, environment: dict[str, str], postgres: Postgres, database: str, engine: str
):
    if engine == "postgres":
        environment["OR_MCP_DATABASE_URL"] = postgres.url(database)
    async with connect() as client:
        await client.call_tool("ask", ask())
    fine = await command(environment, "store", "check")
    assert (fine.returncode, fine.stdout) == (0, b"The ledger is the sum of 1 runs.\n"), fine
    change = "UPDATE ledger SET charged_usd = charged_usd + 1 WHERE day <> ''"
    if engine == "postgres":
        postgres.execute(change, database)
    else:
        await anyio.run_process(
            [
                sys.executable,
                "-c",
                "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()",
                str(Path(environment["OR_MCP_DATA_DIR"]) / "runs.sqlite3"),
                change,
            ]
        )
    wrong = await command(environment, "store", "check")
    assert wrong.returncode == 1
    assert b"are not the sum of their runs" in wrong.stderr


async def test_what_store_print_shows_makes_a_database_that_a_host_takes_as_its_own(
    environment: dict[str, str], hosts: Hosts, postgres: Postgres, database: str
):
    shown = await command(environment | {"OR_MCP_DATABASE_URL": postgres.url(database)}, "store", "print")
    postgres.execute(shown.stdout.decode(), database)
    async with hosts(1) as (one,):
        assert not (await one.call_tool("ask", ask())).is_error
    assert postgres.execute("SELECT version FROM schema", database) == [(VERSION,)]


async def test_a_database_that_cannot_be_used_stops_the_start_with_one_line_and_nobody_sees_its_url(
    environment: dict[str, str], postgres: Postgres
):
    wrong = environment | {"OR_MCP_DATABASE_URL": postgres.url("there_is_none")}
    with anyio.fail_after(120):
        ended = await command(wrong)
    [line] = ended.stderr.decode().strip().splitlines()
    assert ended.returncode == 2
    assert line.startswith("or-mcp: OR_MCP_DATABASE_URL holds '(hidden)', but accepts")
    told = json.loads((await command(wrong, "doctor", "--json")).stdout)
    assert "the database of OR_MCP_DATABASE_URL cannot be used: it has no such database or user" in str(told)
    assert SECRET not in line + str(told)


async def test_doctor_knows_the_database(environment: dict[str, str], postgres: Postgres, database: str):
    done = await command(environment | {"OR_MCP_DATABASE_URL": postgres.url(database)}, "doctor")
    assert b"0 runs in the database that machines share" in done.stdout
    assert SECRET.encode() not in done.stdout + done.stderr


async def test_processes_that_died_long_ago_are_forgotten_by_the_database(
    hosts: Hosts, postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
):
    for name in ("_FORGET_FIRST_AFTER_SECONDS", "_FORGET_EVERY_SECONDS"):
        monkeypatch.setattr(f"or_mcp.runs.runner.{name}", 0.2)
    async with hosts(1):
        for token, age in (("died-days-ago", 2), ("died-just-now", 0)):
            beat = f"extract(epoch FROM now()) - {age} * 86400"
            postgres.execute(f"INSERT INTO processes SELECT '{token}', 'elsewhere', '0', {beat}", database)
        with anyio.fail_after(60):
            while ("died-days-ago",) in (there := postgres.execute("SELECT token FROM processes", database)):
                await anyio.sleep(0.05)
    assert ("died-just-now",) in there


async def test_a_caller_has_a_budget_of_its_own_that_is_refused_by_name(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_CALLER_DAILY_BUDGET_USD="0.0001") as client:
        told = text_of(await client.call_tool("ask", ask(max_output_tokens=20_000)))
        account = (await client.call_tool("account", {})).structured_content
    assert told.startswith("over_budget:")
    assert "OR_MCP_CALLER_DAILY_BUDGET_USD" in told
    assert account["budget_left_usd"] == 0.0001
    assert account["policy"]["OR_MCP_CALLER_DAILY_BUDGET_USD"] == "0.0001"
    assert not upstream.posts()


async def test_a_host_leaves_the_balancer_after_ten_seconds_without_the_database_and_comes_back(
    tmp_path: Path, postgres: Postgres, database: str
):
    simulator = Simulator()
    with simulator.serve_in_thread() as base_url, fleet(base_url, tmp_path, postgres, database, 1) as (host,):
        await anyio.to_thread.run_sync(host.until_ready)
        host.way.refuse()
        began = time.monotonic()
        with anyio.fail_after(120):
            while await anyio.to_thread.run_sync(ready, host):
                await anyio.sleep(0.1)
        assert time.monotonic() - began > 9
        host.way.release()
        with anyio.fail_after(120):
            while not await anyio.to_thread.run_sync(ready, host):
                await anyio.sleep(0.1)


def ready(host: Host) -> bool:
    return fetched(f"http://127.0.0.1:{host.port}/readyz")[0] == 200


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_hosts_that_start_together_on_an_empty_database_make_one_schema(
    tmp_path: Path, postgres: Postgres, database: str
):
    with Simulator().serve_in_thread() as base_url, fleet(base_url, tmp_path, postgres, database, 10) as hosts:
        for host in hosts:
            await anyio.to_thread.run_sync(host.until_ready)
        assert all(host.is_running for host in hosts)
    assert postgres.execute("SELECT count(*), max(version) FROM schema", database) == [(1, VERSION)]


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_the_next_release_runs_beside_this_one(tmp_path: Path, postgres: Postgres, database: str):
    answers: list[Any] = []
    with ExitStack() as stack:
        base_url = stack.enter_context(Simulator().serve_in_thread())
        old, new = stack.enter_context(fleet(base_url, tmp_path, postgres, database, 2))
        await anyio.to_thread.run_sync(old.until_ready)
        await anyio.to_thread.run_sync(new.until_ready)
        async with Client(old.url) as client:
            answers.append(await client.call_tool("ask", ask(1)))
            new.kill()
            new.start(python=("-c", NEXT_RELEASE))
            await anyio.to_thread.run_sync(new.until_ready)
            async with Client(new.url) as other:
                for number in range(2, 12):
                    answers.append(await client.call_tool("ask", ask(number)))
                    answers.append(await other.call_tool("ask", ask(number + 100)))
        old.kill()
        old.start()
        await anyio.to_thread.run_sync(old.until_ready)
    assert postgres.execute("SELECT version FROM schema", database) == [(VERSION + 1,)]
    assert not [answer for answer in answers if answer.is_error]


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_an_idle_host_asks_the_database_one_thing_in_five_seconds(tmp_path: Path):
    with ExitStack() as stack:
        postgres = stack.enter_context(server(log_statement="all", log_min_messages="warning"))
        base_url, database = stack.enter_context(Simulator().serve_in_thread()), postgres.fresh().rpartition("/")[2]
        (host,) = stack.enter_context(fleet(base_url, tmp_path, postgres, database, 1))
        await anyio.to_thread.run_sync(host.until_ready)
        await beats(postgres, 2)
        before = len(postgres.log)
        await beats(postgres, 4)
        asked = re.findall(r"LOG:  (execute|statement)", postgres.log[before:])
    assert len(asked) <= 5


async def beats(postgres: Postgres, times: int) -> None:
    """Wait until a host has been seen so often."""
    end = postgres.log.count("INSERT INTO processes") + times
    with anyio.fail_after(60):
        while postgres.log.count("INSERT INTO processes") < end:
            await anyio.sleep(0.1)
