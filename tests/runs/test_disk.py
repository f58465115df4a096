"""The disk is given up only when it is lost."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from or_mcp.runs import queries
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.record import Progress, RunRecord, RunRequest
from or_mcp.runs.store import Store
from or_mcp.runs.transaction import Transaction
from tests.conftest import Connect, Upstream, text_of
from tests.runs.program import Killable, started

ASK = {"model": "openai/gpt-5-mini", "prompt": "Monolith or microservices?"}


@pytest.fixture
def file(environment: dict[str, str]) -> Path:
    """Where the store is."""
    return Path(environment["OR_MCP_DATA_DIR"]) / "runs.sqlite3"


def notes_of(result: Any) -> str:
    """What is said of the store."""
    return " ".join(note for note in result.structured_content["notes"] if "run store" in note)


async def until(client: Any, found: Callable[[str], bool]) -> str:
    """What `account` says once it says what is waited for: it reads, and waits for no writer."""
    with anyio.fail_after(60):
        while not found(told := notes_of(await client.call_tool("account", {}))):
            await anyio.sleep(0.02)
    return told


async def runs_on_disk(connect: Connect) -> dict[str, str]:
    async with connect() as client:
        rows = (await client.call_tool("run", {})).structured_content["runs"]
    return {row["run_id"]: row["status"] for row in rows}


async def test_a_store_that_cannot_be_written_lets_nothing_be_sent_and_says_how_to_go_on(
    connect: Connect, upstream: Upstream
):
    async with connect(OR_MCP_DATA_DIR="/proc/none") as client:
        told = text_of(await client.call_tool("ask", ASK))
    assert told.startswith("internal: The run store cannot be used (")
    assert "nothing was sent" in told
    assert "OR_MCP_STORE=off" in told
    assert not upstream.posts()


@pytest.mark.parametrize("state", ["newer", "corrupt"])
async def test_a_file_that_cannot_be_used_is_renamed_and_kept_and_runs_are_on_disk_again(
    connect: Connect, file: Path, state: str
):
    file.parent.mkdir()
    if state == "newer":
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA user_version = 99")
    else:
        file.write_bytes(b"this is no database" * 1000)
    before = file.read_bytes()
    async with connect() as client:
        result = await client.call_tool("ask", ASK)
    (aside,) = (path for path in file.parent.iterdir() if ".aside-" in path.name)
    assert f"it is now {aside.name}" in notes_of(result)
    assert aside.read_bytes() == before
    assert await runs_on_disk(connect) == {result.structured_content["run_id"]: "completed"}


async def test_a_newer_file_that_another_program_is_at_work_on_is_left_to_it(
    connect: Connect, upstream: Upstream, file: Path
):
    async with connect():
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA user_version = 99")
        async with connect() as client:
            told = text_of(await client.call_tool("ask", ASK))
    assert "one that does is at work on it" in told
    assert not upstream.posts()
    assert not [path for path in file.parent.iterdir() if ".aside-" in path.name]


async def test_a_store_deleted_while_in_use_is_said_and_what_was_spent_is_not_forgotten(connect: Connect, file: Path):
    async with connect(OR_MCP_DAILY_BUDGET_USD="10") as client:
        first = await client.call_tool("ask", ASK)
        for path in file.parent.glob("runs.sqlite3*"):
            path.unlink()
        second = await client.call_tool("ask", ASK | {"temperature": 1})
        left = (await client.call_tool("account", {})).structured_content["budget_left_usd"]
    assert "deleted or moved while in use" in notes_of(second)
    spent = first.structured_content["cost_usd"] + second.structured_content["cost_usd"]
    assert left == pytest.approx(10 - spent)
    assert await runs_on_disk(connect) == {second.structured_content["run_id"]: "completed"}


async def test_todays_spending_is_read_from_a_file_that_broke(connect: Connect, file: Path):
    async with connect() as client:
        cost = (await client.call_tool("ask", ASK)).structured_content["cost_usd"]
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")
    async with connect(OR_MCP_DAILY_BUDGET_USD="10") as client:
        account = (await client.call_tool("account", {})).structured_content
    assert account["budget_left_usd"] == pytest.approx(10 - cost)
    assert account["today"]["total_usd"] == cost


async def test_while_todays_spending_cannot_be_read_nothing_is_paid_under_a_daily_budget(
    connect: Connect, upstream: Upstream, file: Path
):
    file.parent.mkdir()
    file.write_bytes(b"this is no database" * 1000)
    aside = file
    for _ in range(2):
        async with connect(OR_MCP_DAILY_BUDGET_USD="10") as client:
            told = text_of(await client.call_tool("ask", ASK))
        (aside,) = (path for path in file.parent.iterdir() if ".aside-" in path.name)
        assert told.startswith("over_budget: What was spent earlier today is not known")
        assert "moved away once it is clear what was spent" in told.partition("Next: ")[2]
        assert aside.name in told
    assert not upstream.posts()
    aside.unlink()
    async with connect(OR_MCP_DAILY_BUDGET_USD="10") as client:
        assert not (await client.call_tool("ask", ASK)).is_error


@asynccontextmanager
async def locked(file: Path) -> AsyncGenerator[Callable[[], None]]:
    """Another program holds the store's write lock, until it is told to let go."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield lambda: other.execute("ROLLBACK") and None


async def test_a_run_in_flight_outlasts_a_locked_store_and_is_written_when_it_is_free_again(
    connect: Connect, upstream: Upstream, file: Path
):
    upstream.script({"path": "/chat/completions", "duration_s": 1})
    async with connect() as client:
        begun = (await client.call_tool("ask", ASK | {"wait_seconds": 0})).structured_content
        async with locked(file) as let_go:
            told = await until(client, lambda told: "kept in memory" in told)
            during = await client.call_tool("run", {"run_id": begun["run_id"], "wait_seconds": 20})
            again = await client.call_tool("run", {"run_id": begun["run_id"]})
            (row,) = (await client.call_tool("run", {})).structured_content["runs"]
            assert during.structured_content["status"] == row["status"] == "completed"
            assert again.structured_content["text"] == during.structured_content["text"] != ""
            with closing(sqlite3.connect(file)) as other:
                assert other.execute("SELECT status FROM runs").fetchall() == [("running",)]
            let_go()
            await until(client, lambda told: not told)
        assert "locked" in told
    assert await runs_on_disk(connect) == {begun["run_id"]: "completed"}


def nothing(tx: Transaction) -> None:
    """A transaction of its own, for nothing."""


class Half:
    """Work that has come half its way."""

    def kept(self) -> Kept:
        """Everything that has arrived."""
        return Kept("{}")

    def progress(self) -> Progress:
        """How far it has come."""
        return Progress(1, 2, "half")

    async def carry_out(self, run: LiveRun) -> None:
        """Never asked for."""
        raise NotImplementedError


async def test_a_save_that_the_end_of_its_run_overtakes_is_told_what_was_written(file: Path):
    store = Store(file.parent)
    request = RunRequest(tool="ask", caller="me", payer="me", fingerprint="?", arguments="{}", models=(), prompt="?")
    record = RunRecord(run_id="run_1", request=request, started=datetime.now(UTC), owner=store.owner.token)
    await store.write(lambda tx: queries.save(tx, record))
    run, told = LiveRun(record, Half(), store), list[object]()

    async def end() -> None:
        told.append(await run.finish(run.taken().end("completed", None), lambda _: "done"))

    async with locked(file) as let_go, anyio.create_task_group() as group:
        # It occupies the writer: the two that follow come to be done together.
        group.start_soon(store.write, nothing)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(run.told, "half", "a/b")
        group.start_soon(end)
        await anyio.wait_all_tasks_blocked()
        let_go()
    assert told == ["done"]
    store.close()


async def test_a_call_waits_for_a_locked_store_and_reads_wait_for_nobody(
    connect: Connect, upstream: Upstream, file: Path
):
    answers: list[Any] = []
    async with connect() as client:
        async with locked(file) as let_go, anyio.create_task_group() as group:

            async def ask() -> None:
                answers.append(await client.call_tool("ask", ASK))

            group.start_soon(ask)
            await until(client, lambda told: "locked" in told)
            assert (answers, upstream.posts()) == ([], [])
            let_go()
        assert not answers[0].is_error
        assert not await until(client, lambda told: not told)


async def test_a_call_is_refused_with_nothing_sent_where_the_store_stays_locked(
    connect: Connect, upstream: Upstream, file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("or_mcp.runs.store._PATIENCE_SECONDS", 0.5)
    async with connect() as client, locked(file):
        told = text_of(await client.call_tool("ask", ASK))
    assert told.startswith("internal: The run store is locked by another program, and nothing was sent.")
    assert "Spent: nothing" in told
    assert not upstream.posts()


def bound(server: Killable, what: int, soft: int) -> None:
    """Bound what a running process may use."""
    _, hard = resource.prlimit(server.pid, what)
    resource.prlimit(server.pid, what, (soft, hard))


async def fill(server: Killable, file: Path) -> None:
    """Let the disk take nothing more from this process."""
    bound(server, resource.RLIMIT_FSIZE, file.with_name("runs.sqlite3-wal").stat().st_size)


async def test_on_a_full_disk_runs_in_flight_are_kept_and_written_when_there_is_room_again(
    connect: Connect, upstream: Upstream, environment: dict[str, str], file: Path
):
    upstream.script({"path": "/chat/completions", "duration_s": 5, "times": 1})
    async with started(environment) as server:
        begun: Any = await server.client.call_tool("ask", ASK | {"wait_seconds": 0})
        run_id = begun.structured_content["run_id"]
        await fill(server, file)
        told = await until(server.client, lambda told: "kept in memory" in told)
        during: Any = await server.client.call_tool("run", {"run_id": run_id, "wait_seconds": 20})
        refused = text_of(await server.client.call_tool("ask", ASK | {"temperature": 1}))
        bound(server, resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        assert await until(server.client, lambda told: not told) == ""
        after: Any = await server.client.call_tool("ask", ASK | {"temperature": 2})
        await server.kill()
    assert "cannot be written" in told
    assert (during.structured_content["status"], after.is_error) == ("completed", False)
    assert refused.startswith("internal: The run store cannot be used (")
    assert len(upstream.posts()) == 2
    found = await runs_on_disk(connect)
    assert found == {run_id: "completed", after.structured_content["run_id"]: "completed"}


async def test_a_process_that_can_open_no_more_files_keeps_its_runs_and_takes_none_for_dead(
    connect: Connect, upstream: Upstream, environment: dict[str, str]
):
    upstream.script({"path": "/chat/completions", "duration_s": 5})
    async with started(environment) as one, started(environment) as two:
        # What is imported when it is first needed has to be there.
        await two.client.call_tool("account", {})
        begun: Any = await one.client.call_tool("ask", ASK | {"wait_seconds": 0})
        await two.client.call_tool("run", {"run_id": begun.structured_content["run_id"]})
        bound(two, resource.RLIMIT_NOFILE, 3)
        seen: Any = await two.client.call_tool("run", {"run_id": begun.structured_content["run_id"]})
        assert seen.structured_content["status"] == "running"
        bound(two, resource.RLIMIT_NOFILE, 64)
        await one.client.call_tool("run", {"run_id": begun.structured_content["run_id"], "wait_seconds": 60})
    assert await runs_on_disk(connect) == {begun.structured_content["run_id"]: "completed"}
