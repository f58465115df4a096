"""Whatever the machine and other programs do, everything that was paid for is on disk afterwards."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from or_mcp.calls.caller import Caller
from tests.conftest import Upstream, text_of
from tests.runs.before import Before
from tests.runs.program import Killable, started

ASK = {"model": "openai/gpt-5-mini", "prompt": "Monolith or microservices?"}


@pytest.fixture
def file(environment: dict[str, str]) -> Path:
    """Where the store is."""
    return Path(environment["OR_MCP_DATA_DIR"]) / "runs.sqlite3"


async def completed(server: Killable, number: int, **arguments: Any) -> str | None:
    """Ask a question of its own: the run, if it was carried out."""
    told: Any = await server.client.call_tool("ask", ASK | {"prompt": f"Question {number}?"} | arguments)
    return None if told.is_error else told.structured_content["run_id"]


def on_disk(file: Path) -> dict[str, str]:
    with closing(sqlite3.connect(file)) as store:
        return dict(store.execute("SELECT run_id, status FROM runs").fetchall())


async def until_written(file: Path, runs: set[str]) -> None:
    with anyio.fail_after(60):
        while {run_id for run_id, status in on_disk(file).items() if status == "completed"} < runs:
            await anyio.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_lock_held_for_a_minute(upstream: Upstream, environment: dict[str, str], file: Path):
    upstream.script({"path": "/chat/completions", "duration_s": 3})
    answers: list[str | None] = []
    refused: Any = None

    async def ask(server: Killable, number: int) -> None:
        answers.append(await completed(server, number))

    async with started(environment) as one, started(environment) as two:
        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(ask, (one, two)[number % 2], number)
            with anyio.fail_after(120):
                while upstream.open_streams < 10:
                    await anyio.sleep(0.02)
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                refused = await one.client.call_tool("ask", ASK)
                await anyio.sleep(60 - 20)
                other.execute("ROLLBACK")
        assert text_of(refused).startswith("internal: The run store is locked by another program")
        assert None not in answers
        await until_written(file, {answer for answer in answers if answer})
    assert len(upstream.posts()) == 10


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], check=False).returncode:
        pytest.skip("this user may mount nothing")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


async def test_a_disk_that_fills_up_and_is_freed_again(
    upstream: Upstream, environment: dict[str, str], small_disk: Path
):
    upstream.script({"path": "/chat/completions", "duration_s": 5})
    file = small_disk / "data" / "runs.sqlite3"
    async with started(environment | {"OR_MCP_DATA_DIR": str(file.parent)}) as server:
        begun: Any = await server.client.call_tool("ask", ASK | {"wait_seconds": 0})
        run_id = begun.structured_content["run_id"]
        filler = small_disk / "filler"
        _fill(filler)
        during: Any = await server.client.call_tool("run", {"run_id": run_id, "wait_seconds": 20})
        assert during.structured_content["status"] == "completed"
        refused = await completed(server, 1)
        assert on_disk(file) == {run_id: "running"}
        filler.unlink()
        await until_written(file, {run_id})
        assert refused is None
        assert await completed(server, 2)


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as written:
        for size in (4096, 1):
            try:
                while True:
                    written.write(os.urandom(size))
            except OSError:
                continue


async def test_sixty_calls_of_a_process_that_may_open_few_files(
    upstream: Upstream, environment: dict[str, str], file: Path
):
    upstream.script({"path": "/chat/completions", "duration_s": 1})
    answers: list[str | None] = []

    async def ask(server: Killable, number: int) -> None:
        answers.append(await completed(server, number))

    async with started(environment, "bash", "-c", 'ulimit -n 40; exec "$@"', "--") as server:
        async with anyio.create_task_group() as group:
            for number in range(60):
                group.start_soon(ask, server, number)
        told: Any = await server.client.call_tool("account", {})
        await until_written(file, {answer for answer in answers if answer})
        await server.kill()
    assert not [note for note in told.structured_content["notes"] if "run store" in note]
    assert len(answers) == 60
    assert any(answers)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_lists_and_accounts_over_a_million_runs_in_another_process(environment: dict[str, str], file: Path):
    caller = Caller.of(environment["OPENROUTER_API_KEY"], environment["OPENROUTER_BASE_URL"]).id
    before = Before(file, caller)
    before.save("r0", status="completed", cost_usd=1, charged_usd=1)
    before.multiply("r0", 1_000_000)
    before.close()
    answers: set[str | None] = set()
    async with started(environment) as reading, started(environment) as asking, anyio.create_task_group() as group:

        async def read() -> None:
            while True:
                for tool in ("run", "account"):
                    told: Any = await reading.client.call_tool(tool, {})
                    assert not told.is_error, text_of(told)

        group.start_soon(read)
        answers |= {await completed(asking, number) for number in range(20)}
        group.cancel_scope.cancel()
    assert None not in answers
    assert answers <= on_disk(file).keys()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_thousand_waiting_calls(upstream: Upstream, environment: dict[str, str], file: Path):
    upstream.script({"path": "/chat/completions", "duration_s": 10, "times": 1})
    statuses: list[str] = []
    answers: set[str | None] = set()
    async with started(environment) as one, started(environment) as two:
        begun: Any = await one.client.call_tool("ask", ASK | {"wait_seconds": 0})
        wait = {"run_id": begun.structured_content["run_id"], "wait_seconds": 120}

        async def wait_for(server: Killable) -> None:
            told: Any = await server.client.call_tool("run", wait)
            statuses.append(told.structured_content["status"])

        async with anyio.create_task_group() as group:
            for number in range(1000):
                group.start_soon(wait_for, (one, two)[number % 2])
            answers |= {await completed(server, number) for number, server in enumerate((one, two) * 5)}
    assert statuses == ["completed"] * 1000
    assert None not in answers
    assert answers <= on_disk(file).keys()
