"""Whatever happens to sessions and residents: no start fails, no run is lost, nothing is paid twice, nobody stays."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from or_mcp.simulator import Simulator
from or_mcp.starting.starter import listed
from tests.resident.conftest import Residents, called, is_alive, until
from tests.serving.programs import Talk

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="by default on Linux alone")
STAYS = "2"
ENDS = {"completed", "interrupted"}


@dataclass
class Nemesis:
    """A user's afternoon, in short."""

    residents: Residents
    simulator: Simulator
    chance: random.Random
    stack: ExitStack
    hosts: list[Talk] = field(default_factory=list[Talk])
    runs: dict[str, str] = field(default_factory=dict[str, str])

    def act(self) -> None:
        """Something happens."""
        acts = [self.open, self.open, self.ask, self.ask, self.ask, self.close, self.kill, self.end, self.clutter]
        self.chance.choice(acts)()

    def open(self) -> None:
        """A host starts: that never fails. Some have other settings, as another version has."""
        if len(self.hosts) < 4:
            settings = self.chance.choice([{}, {}, {"OR_MCP_RUN_DEADLINE_SECONDS": "800"}])
            self.hosts.append(self.stack.enter_context(self.residents.session(**settings)))

    def ask(self) -> None:
        """A host asks something new, and does not wait for it."""
        if self.hosts:
            question = f"Question {len(self.runs)}?"
            try:
                told = called(self.chance.choice(self.hosts), "ask", prompt=question, wait_seconds=0)
            except (AssertionError, OSError):
                # Its resident was killed: whoever asks again is told what became of it.
                self.hosts = [host for host in self.hosts if host.process.poll() is None]
                return
            self.runs[told["structuredContent"]["run_id"]] = question

    def close(self) -> None:
        """A host leaves."""
        if host := self._one():
            with suppress(OSError):
                host.process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
            host.ends_within(40)

    def kill(self) -> None:
        """A host is killed."""
        if host := self._one():
            host.process.kill()
            host.ends_within(40)

    def end(self) -> None:
        """A resident is killed."""
        for status in self.residents.statuses()[:1]:
            pid = status["pid"]
            os.kill(pid, signal.SIGKILL)
            while is_alive(pid):
                time.sleep(0.01)
            self._bury()

    def clutter(self) -> None:
        """Where residents listen, something else is left."""
        for path in listed(self.residents.env):
            if self.chance.random() < 0.3 and not self.residents.statuses():
                Path(path).unlink()
                Path(path).write_text("no socket")

    def _one(self) -> Talk | None:
        self._bury()
        return self.hosts.pop(self.chance.randrange(len(self.hosts))) if self.hosts else None

    def _bury(self) -> None:
        for host in list(self.hosts):
            with suppress(Exception):
                host.process.wait(0.2)
                self.hosts.remove(host)


def play(residents: Residents, simulator: Simulator, seed: int, rounds: int) -> None:
    residents.env["OR_MCP_RESIDENT"] = STAYS
    simulator.script({"path": "/chat/completions", "duration_s": 1})
    with ExitStack() as stack:
        nemesis = Nemesis(residents, simulator, random.Random(seed), stack)
        for _ in range(rounds):
            nemesis.act()
        while nemesis.hosts:
            nemesis.close()
        with residents.session() as host:
            until(lambda: all(row["status"] != "running" for row in rows(host)))
            for run_id in nemesis.runs:
                told = called(host, "run", run_id=run_id)
                assert told["structuredContent"]["status"] in ENDS, (seed, told)
    sent = [str(post.body["messages"]) for post in simulator.posts("/chat/completions")]
    assert len(sent) == len(set(sent)), f"seed {seed}: something was paid twice"
    until(lambda: not any(is_alive(pid) for pid in residents.seen) and not residents.statuses())


def rows(host: Talk) -> list[dict[str, Any]]:
    return called(host, "run")["structuredContent"]["runs"]


@pytest.mark.timeout(400)
def test_nothing_that_happens_to_sessions_costs_a_start_or_a_run(residents: Residents, simulator: Simulator):
    play(residents, simulator, seed=7, rounds=14)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
def test_nor_does_it_in_two_hundred_rounds(residents: Residents, simulator: Simulator, seed: int):
    play(residents, simulator, seed=seed, rounds=20)
