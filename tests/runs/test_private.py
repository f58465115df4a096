"""What runs leave on disk is for its owner alone, whatever was there before."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import anyio
import pytest

from tests.conftest import Connect

ASK = {"model": "openai/gpt-5-mini", "prompt": "Monolith or microservices?"}


def open_to_others(place: Path) -> list[str]:
    return [str(path) for path in (place, *place.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]


@pytest.mark.parametrize("was_there", [True, False])
async def test_a_data_directory_and_the_runs_in_it_are_closed_to_others(
    connect: Connect, environment: dict[str, str], was_there: bool
):
    place = Path(environment["OR_MCP_DATA_DIR"])
    if was_there:
        (place / "owners").mkdir(parents=True)
        (place / "runs.sqlite3").touch()
        (place / "state.key").write_bytes(bytes(32))
        for path in (place, *place.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)
    before = os.umask(0)
    try:
        async with connect() as client:
            assert not (await client.call_tool("ask", ASK)).is_error
            names = ("runs.sqlite3", "runs.sqlite3-wal", "runs.sqlite3-shm", "state.key", "owners")
            assert {place.name, *names} <= {path.name for path in (place, *place.iterdir())}
            assert not [path for path in open_to_others(place) if "catalogue" not in path]
    finally:
        os.umask(before)


async def test_a_place_that_others_use_is_left_as_it_is_and_named(
    connect: Connect, environment: dict[str, str], caplog: pytest.LogCaptureFixture
):
    place = Path(environment["OR_MCP_DATA_DIR"])
    place.mkdir()
    place.chmod(0o1777)
    async with connect() as client:
        assert not (await client.call_tool("ask", ASK)).is_error
    assert stat.S_IMODE(place.stat().st_mode) == 0o1777
    assert caplog.text.count(f"chmod 700 {place}") == 1
    assert not [path for path in open_to_others(place) if path.startswith(f"{place}/runs")]


async def test_a_report_is_for_its_owner_whatever_was_there(
    connect: Connect, environment: dict[str, str], tmp_path: Path
):
    async with connect() as client:
        run_id = (await client.call_tool("ask", ASK)).structured_content["run_id"]
    report = tmp_path / "report.html"
    for was_there in (False, True):
        if was_there:
            report.chmod(0o644)
        command = [sys.executable, "-m", "or_mcp", "runs", run_id, "--html", str(report)]
        await anyio.run_process(command, env=environment)
        assert stat.S_IMODE(report.stat().st_mode) == 0o600
        assert "Monolith" in report.read_text(encoding="utf-8")


async def test_a_report_takes_the_place_of_another_at_once_and_a_link_to_it_stays(
    connect: Connect, environment: dict[str, str], tmp_path: Path
):
    async with connect() as client:
        run_id = (await client.call_tool("ask", ASK)).structured_content["run_id"]
    before, link = tmp_path / "report.html", tmp_path / "link.html"
    before.write_text("the one before")
    link.symlink_to(before)
    with before.open() as reading:
        await anyio.run_process([sys.executable, "-m", "or_mcp", "runs", run_id, "--html", str(link)], env=environment)
        assert reading.read() == "the one before"
    assert link.is_symlink()
    assert "Monolith" in before.read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.glob("*report*")} == {"report.html"}


async def test_a_report_can_be_written_to_a_pipe(connect: Connect, environment: dict[str, str]):
    async with connect() as client:
        run_id = (await client.call_tool("ask", ASK)).structured_content["run_id"]
    command = [sys.executable, "-m", "or_mcp", "runs", run_id, "--html", "/dev/stdout"]
    assert b"Monolith" in (await anyio.run_process(command, env=environment)).stdout


@pytest.mark.slow
async def test_the_report_of_the_demo_is_for_its_owner(tmp_path: Path):
    before = os.umask(0)
    try:
        demo = await anyio.run_process([sys.executable, "-m", "or_mcp", "demo"], env={"TMPDIR": str(tmp_path)})
    finally:
        os.umask(before)
    [report] = tmp_path.glob("*/report.html")
    assert "report.html" in demo.stdout.decode()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


@pytest.mark.parametrize("left", [b"", bytes(7)])
async def test_a_secret_that_was_cut_short_is_made_anew(connect: Connect, environment: dict[str, str], left: bytes):
    secret = Path(environment["OR_MCP_DATA_DIR"]) / "state.key"
    secret.parent.mkdir()
    secret.write_bytes(left)
    async with connect() as client:
        assert not (await client.call_tool("ask", ASK)).is_error
        made = secret.read_bytes()
    async with connect():
        assert secret.read_bytes() == made
    assert len(made) == 32
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
