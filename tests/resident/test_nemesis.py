"""Whatever happens to sessions and residents: no start fails, no run is lost, nothing is paid twice, nobody stays."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from or_mcp.simulator import Simulator
from or_mcp.starting.place import FOLDER
from or_mcp.starting.starter import listed
from tests.resident.conftest import Residents, called, is_alive, until
from tests.serving.programs import ROOT, Talk, started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="by default on Linux alone")
STAYS = "2"
# What takes moments may take minutes where many do the same at once.
LONG_SECONDS = 240
ENDS = {"completed", "interrupted"}


OTHER_SETTINGS = {"OR_MCP_RUN_DEADLINE_SECONDS": "800"}
# Of what is read-only this is everywhere.
READ_ONLY = Path("/proc")
FULL = "size=4k,nr_inodes=1,mode=700"


@dataclass
class Nemesis:
    """A user's afternoon, in short."""

    residents: Residents
    other_version: Path
    unwritable: list[Path]
    chance: random.Random
    stack: ExitStack
    hosts: list[Talk] = field(default_factory=list[Talk])
    runs: dict[str, str] = field(default_factory=dict[str, str])
    starts: int = 0

    def act(self) -> None:
        """Something happens."""
        often = [self.open, self.open, self.ask, self.ask, self.ask]
        self.chance.choice([*often, self.close, self.kill, self.halve, *self._of_residents()])()

    def _of_residents(self) -> list[Callable[[], None]]:
        return [self.end, self.end_at_birth, self.hang, self.clutter, self.spoil]

    def open(self) -> None:
        """A host starts: that never fails. Some have other settings, some another version."""
        if len(self.hosts) < 4:
            host = self._begin()
            host.greet()
            assert host.ask("tools/list")["result"]["tools"]

    def _begin(self) -> Talk:
        env = self.residents.env | self.chance.choice([{}, {}, OTHER_SETTINGS])
        if self.chance.random() < 0.3:
            env["PYTHONPATH"] = str(self.other_version)
        program = "from or_mcp.__main__ import main; import sys; sys.argv = ['or-mcp']; sys.exit(main())"
        python = ("-P", "-c", program)
        self.hosts.append(self.stack.enter_context(started(env=env, python=python)))
        self.starts += 1
        return self.hosts[-1]

    def ask(self) -> None:
        """A host asks something new, and does not wait for it."""
        self._bury()
        if self.hosts:
            question = f"Question {len(self.runs)}?"
            try:
                told = called(self.chance.choice(self.hosts), "ask", prompt=question, wait_seconds=0)
            except (AssertionError, OSError):
                # Its resident was killed: whoever asks again is told what became of it.
                self._bury()
                return
            self.runs[told["structuredContent"]["run_id"]] = question

    def close(self) -> None:
        """A host leaves."""
        if host := self._one():
            with suppress(OSError):
                host.process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
            host.ends_within(LONG_SECONDS)

    def kill(self) -> None:
        """A host is killed."""
        if host := self._one():
            host.process.kill()
            host.ends_within(LONG_SECONDS)

    def halve(self) -> None:
        """A host is half killed: it hears nothing any more, or what it started stands still, and is killed later."""
        if host := self._one():
            if self.chance.random() < 0.5:
                host.process.stdout.close()  # pyright: ignore[reportOptionalMemberAccess]
                with suppress(OSError):
                    host.send(b'{"jsonrpc": "2.0", "id": 99, "method": "tools/list"}')
            else:
                host.process.send_signal(signal.SIGSTOP)
            host.process.kill()
            host.ends_within(LONG_SECONDS)

    def end(self) -> None:
        """A resident is killed."""
        killed = self.residents.processes()[:1]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(is_alive, killed)))
        self._bury()

    def end_at_birth(self) -> None:
        """A resident is killed while it starts, or soon after: whoever started it serves itself, or goes with it."""
        before = self.residents.processes()
        host = self._begin()
        time.sleep(self.chance.random())
        born = [pid for pid in self.residents.processes() if pid not in before]
        for pid in born:
            os.kill(pid, signal.SIGKILL)
        try:
            host.greet()
        except (AssertionError, OSError):
            assert born, "a start has failed"
            self.starts -= 1
        self._bury()

    def hang(self) -> None:
        """A resident stands still for as long as a host starts."""
        stopped = self.residents.processes()[:1]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        self.open()
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)

    def clutter(self) -> None:
        """Where residents listen, something else is left, or a socket that nobody listens on."""
        for path in map(Path, listed(self.residents.env)):
            if not self.residents.statuses():
                path.unlink(missing_ok=True)
                if self.chance.random() < 0.5:
                    path.write_text("no socket")
                else:
                    with socket.socket(socket.AF_UNIX) as stale:
                        stale.bind(str(path))

    def spoil(self) -> None:
        """Where residents listen nothing can be written while a host starts: it is read-only, or full."""
        folder = Path(self.residents.env["OR_MCP_DATA_DIR"]) / FOLDER
        away = folder.with_name("away")
        if folder.exists():
            folder.rename(away)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(self.chance.choice(self.unwritable))
        self.open()
        folder.unlink()
        if away.exists():
            away.rename(folder)

    def _one(self) -> Talk | None:
        self._bury()
        return self.hosts.pop(self.chance.randrange(len(self.hosts))) if self.hosts else None

    def _bury(self) -> None:
        for host in list(self.hosts):
            with suppress(subprocess.TimeoutExpired):
                host.process.wait(0.2)
                self.hosts.remove(host)


@pytest.fixture
def unwritable(tmp_path: Path) -> Generator[list[Path]]:
    """Directories in which nothing can be made; one that is full only where this user may mount it."""
    full, mount = tmp_path / "full", shutil.which("mount")
    full.mkdir()
    command = [mount or "", "-t", "tmpfs", "-o", FULL, "tmpfs", str(full)]
    if mount is None or subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode:
        yield [READ_ONLY]
        return
    try:
        with pytest.raises(OSError, match="No space left"):
            (full / "file").touch()
        yield [READ_ONLY, full]
    finally:
        subprocess.run(["umount", "-l", full], check=True)


@pytest.fixture
def other_version(tmp_path: Path) -> Path:
    """The same program under another version, installed elsewhere."""
    copied = shutil.copytree(ROOT / "or_mcp", tmp_path / "or_mcp", ignore=shutil.ignore_patterns("__pycache__"))
    init = copied / "__init__.py"
    init.write_text(init.read_text().replace("__version__ = ", "__version__ = '9.9.9' or "))
    return tmp_path


Play = Callable[[int, int], None]


@pytest.fixture
def play(residents: Residents, simulator: Simulator, other_version: Path, unwritable: list[Path]) -> Play:
    """So many rounds, by a seed."""
    residents.env["OR_MCP_RESIDENT"] = STAYS
    return partial(played, residents, simulator, other_version, unwritable)


def played(
    residents: Residents, simulator: Simulator, other_version: Path, unwritable: list[Path], seed: int, rounds: int
) -> None:
    simulator.script({"path": "/chat/completions", "duration_s": 1})
    with ExitStack() as stack:
        nemesis = Nemesis(residents, other_version, unwritable, random.Random(seed), stack)
        for _ in range(rounds):
            nemesis.act()
        while nemesis.hosts:
            nemesis.close()
        with residents.session() as host:
            until(lambda: all(row["status"] != "running" for row in rows(host)), LONG_SECONDS)
            for run_id in nemesis.runs:
                told = called(host, "run", run_id=run_id)
                assert told["structuredContent"]["status"] in ENDS, (seed, told)
    sent = [str(post.body["messages"]) for post in simulator.posts("/chat/completions")]
    assert len(sent) == len(set(sent)), f"seed {seed}: something was paid twice"
    until(lambda: not residents.processes(), LONG_SECONDS)
    print(f"seed {seed}: {nemesis.starts} starts, {len(nemesis.runs)} runs, {len(sent)} paid")


def rows(host: Talk) -> list[dict[str, Any]]:
    return called(host, "run")["structuredContent"]["runs"]


@pytest.mark.timeout(400)
def test_nothing_that_happens_to_sessions_costs_a_start_or_a_run(play: Play):
    play(7, 14)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
def test_nor_does_it_in_two_hundred_rounds(play: Play, seed: int):
    play(seed, 20)
