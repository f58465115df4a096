"""How often a run is written: each commit that must be on the disk costs more than all the rest."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from tests.conftest import Connect

ASK = {"model": "openai/gpt-5-mini"}


@pytest.fixture
def file(environment: dict[str, str]) -> Path:
    """Where the store is."""
    return Path(environment["OR_MCP_DATA_DIR"]) / "runs.sqlite3"


def commits(file: Path) -> int:
    """How many transactions are in the write-ahead log: in each, one page says how long the file is from then on."""
    log = file.with_name(file.name + "-wal").read_bytes()
    page = int.from_bytes(log[8:12], "big")
    heads = (struct.unpack_from(">6I", log, at) for at in range(32, len(log), 24 + page))
    return sum(1 for _, length, *salts, _, _ in heads if length and tuple(salts) == struct.unpack_from(">2I", log, 16))


async def test_a_run_is_two_commits_and_what_nobody_waits_for_goes_along(
    connect: Connect, file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("or_mcp.runs.worker._RIDES_SECONDS", 60)
    # On a busy machine an ask may last so long that it is saved on its way.
    monkeypatch.setattr("or_mcp.runs.live._SAVE_AFTER_SECONDS", 60)
    monkeypatch.setattr("or_mcp.runs.live.HEARTBEAT_SECONDS", 60)
    async with connect() as client:
        await client.call_tool("ask", ASK | {"prompt": "first"})
        before = commits(file)
        for number in range(5):
            assert not (await client.call_tool("ask", ASK | {"prompt": f"Question {number}?"})).is_error
        assert commits(file) - before == 10
    with closing(sqlite3.connect(file)) as store:
        assert store.execute("SELECT count(*), sum(delivered) FROM runs").fetchone() == (6, 6)
        [(told,)] = store.execute("SELECT count(DISTINCT run_id) FROM events WHERE step = 'accepted'").fetchall()
    assert told == 6


async def test_what_nobody_waits_for_is_written_in_a_moment_though_nothing_follows(connect: Connect, file: Path):
    async with connect() as client:
        await client.call_tool("ask", ASK | {"prompt": "only"})
        with closing(sqlite3.connect(file)) as store, anyio.fail_after(20):
            while store.execute("SELECT delivered FROM runs").fetchone() != (1,):
                await anyio.sleep(0.02)
