"""Sessions as hosts start them, and the residents that serve them; none outlives its test."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from or_mcp.resident.handing import Refused, asked
from or_mcp.simulator import Simulator
from or_mcp.starting.place import FOLDER
from or_mcp.starting.starter import listed
from tests.serving.programs import PATIENCE, Talk, environment, started

STAYS = 30
Until = Callable[[], bool]


class Residents:
    """The residents of one data directory."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env

    def statuses(self) -> list[dict[str, Any]]:
        """What each says of itself."""
        found: list[dict[str, Any]] = []
        for path in listed(self.env):
            with suppress(OSError, Refused):
                if answer := asked(path, "status", 10):
                    found.append(json.loads(answer))
        return found

    @property
    def only(self) -> dict[str, Any]:
        """What the only one says of itself."""
        (status,) = self.statuses()
        return status

    def processes(self) -> list[int]:
        """Those that run, also where they say nothing."""
        folder = f"{self.env['OR_MCP_DATA_DIR']}/{FOLDER}/"
        found = [int(each.parent.name) for each in Path("/proc").glob("[0-9]*/cmdline") if folder in _told(each)]
        return sorted(pid for pid in found if is_alive(pid))

    @contextmanager
    def session(self, **settings: str) -> Generator[Talk]:
        """A session that a host has opened, and that is served: its greeting may come before its server."""
        with started(env=self.env | settings) as talk:
            talk.greet()
            talk.ask("ping")
            yield talk

    def end(self) -> None:
        """Kill them all."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not self.processes())


def _told(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(happened: Until, seconds: float = PATIENCE) -> None:
    """Wait for something."""
    patience = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < patience, "it never happened"
        time.sleep(0.02)


def called(talk: Talk, tool: str, **arguments: Any) -> dict[str, Any]:
    """The result of a tool."""
    return talk.ask("tools/call", {"name": tool, "arguments": arguments})["result"]


@pytest.fixture
def simulator() -> Simulator:
    """The upstream; its faults may be scripted."""
    return Simulator()


@pytest.fixture
def residents(simulator: Simulator, tmp_path: Path) -> Generator[Residents]:
    """A data directory whose sessions share a process."""
    data = Path("/tmp") / f"or-mcp-{os.getpid()}-{abs(hash(tmp_path)) % 10**8}"
    with simulator.serve_in_thread() as base_url:
        env = environment(base_url, data, OR_MCP_RESIDENT=str(STAYS))
        found = Residents(env)
        try:
            yield found
        finally:
            found.end()
            import shutil

            shutil.rmtree(data, ignore_errors=True)


Opened = AbstractContextManager[Talk]
Variables = Mapping[str, str]
