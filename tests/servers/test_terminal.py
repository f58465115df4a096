"""A conversation in the terminal, and what the doctor says of servers."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import anyio.to_thread
import pytest

from tests.cli.test_terminal import terminal
from tests.conftest import Upstream
from tests.servers.world import MINI, World, answers, calls, sent


class Screen:
    """A terminal with the conversation in it."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._descriptor = descriptor
        self.shown = ""
        self._read = 0

    def until(self, words: str) -> None:
        """Wait for words that were not there before."""
        end = monotonic() + 60
        while words not in self.shown[self._read :]:
            assert monotonic() < end, self.shown
            if select.select([self._descriptor], [], [], 1)[0]:
                self.shown += os.read(self._descriptor, 65_536).decode(errors="replace")
        self._read = self.shown.index(words, self._read) + len(words)

    def type(self, words: str) -> None:
        """As a person does."""
        os.write(self._descriptor, f"{words}\n".encode())


@contextmanager
def chat(environment: dict[str, str], *arguments: str) -> Generator[Screen]:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "or_mcp", "chat", *arguments]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment | {"TERM": "dumb"}, start_new_session=True
    )
    os.close(theirs)
    try:
        yield Screen(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


async def in_a_thread(talk: Callable[[], None]) -> None:
    await anyio.to_thread.run_sync(talk)


async def test_a_conversation_shows_tools_asks_and_goes_on(
    upstream: Upstream, environment: dict[str, str], world: World
):
    upstream.script(
        calls(("files__write", {"text": "a"}), answer="I write."),
        answers("It is written.") | {"times": 1},
        calls(("files__write", {"text": "b"})),
        answers("Then not."),
    )
    file = world.serve("files", {"write": {"does": "echo"}})

    def talk() -> None:
        with chat(environment, MINI, "--servers", file) as screen:
            screen.until("> ")
            screen.type("Write a.")
            screen.until("wants to use 'write' of your MCP server 'files'")
            screen.until("n = no")
            screen.type("y")
            screen.until("files__write 1: done, by user, once")
            screen.until("It is written.")
            screen.until("> ")
            screen.type("/model anthropic/claude-haiku-4.5")
            screen.type("Write b.")
            screen.until("n = no")
            screen.type("n")
            screen.until("Then not.")
            screen.until("> ")
            screen.type("/cost")
            screen.until("This conversation: $0.")
            screen.type("/quit")
            assert screen.process.wait(30) == 0

    await in_a_thread(talk)
    assert world.calls("files") == [["write", {"text": "a"}]]
    bodies = sent(upstream)
    assert [body["model"] for body in bodies] == [MINI] * 2 + ["anthropic/claude-haiku-4.5"] * 2
    assert [message["content"] for message in bodies[2]["messages"] if message["role"] == "user"] == [
        "Write a.",
        "Write b.",
    ]


async def test_ctrl_c_stops_the_answer_and_not_the_program(upstream: Upstream, environment: dict[str, str]):
    upstream.script({"path": "/chat/completions", "times": 1, "stall_at_event": 3}, answers("Here I am."))

    def talk() -> None:
        with chat(environment, MINI) as screen:
            screen.until("> ")
            screen.type("Take long.")
            screen.until("[simulated]")
            os.kill(screen.process.pid, signal.SIGINT)
            screen.until("> ")
            screen.type("Are you there?")
            screen.until("Here I am.")
            screen.type("/quit")
            assert screen.process.wait(30) == 0

    await in_a_thread(talk)
    assert upstream.open_streams == 0


async def test_one_turn_without_a_terminal_is_a_run_like_any_other(
    upstream: Upstream, environment: dict[str, str], world: World
):
    upstream.script(calls(("files__read", {"text": "a"})), answers("It is done."))
    file = world.serve("files", {"read": {"does": "echo"}}, allow=["*"])
    done = await terminal(environment, "chat", MINI, "--servers", file, "-1", "Do it.")
    assert done.returncode == 0
    assert "It is done." in done.stdout.decode()
    run_id = re.search(r"run_\w+", done.stdout.decode())
    assert run_id is not None
    listed = json.loads((await terminal(environment, "runs", "--json")).stdout)
    assert [row["run_id"] for row in listed] == [run_id[0]]


async def test_the_doctor_starts_each_server_of_the_file(
    environment: dict[str, str], world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    world.serve("files", {"read": {"does": "echo"}, "write": {"does": "echo"}}, allow=["read"], deny=["write"])
    file = world.name("gone", command=str(tmp_path / "nowhere"))
    done = await terminal(environment | {"OR_MCP_SERVERS": file}, "doctor", "--json")
    rows = [row for row in json.loads(done.stdout)["checks"] if row["name"] == "server"]
    assert [row["status"] for row in rows] == ["ok", "failed"]
    assert rows[0]["detail"] == "files: 2 tools, 1 allowed, 1 denied"
    assert "cannot be started" in rows[1]["detail"]
    assert rows[1]["fix"] == f"mend 'gone' in {file}"
    assert done.returncode == 1


async def test_a_server_that_does_not_start_is_told(environment: dict[str, str], tmp_path: Path):
    file = tmp_path / "servers.json"
    file.write_text(json.dumps({"mcpServers": {"dead": {"command": "/bin/cat"}}}), encoding="utf-8")
    done = await terminal(environment, "chat", MINI, "--servers", str(file), "-1", "Do it.")
    assert done.returncode == 1
    assert "MCP server 'dead' did not start" in done.stdout.decode()
