"""A person's Escape ends what is being spent, also where runs outlive time-outs and hosts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO, Any

import pytest

from or_mcp.simulator import Simulator
from tests.hosts.anthropic_api import MessagesApi
from tests.hosts.installed import Installed
from tests.hosts.model_api import ToolUse, serving
from tests.hosts.openai_api import ResponsesApi
from tests.hosts.test_claude_code import PLUGIN, PLUGIN_PREFIX, WAITS
from tests.hosts.test_codex import CONFIG, overrides, use
from tests.hosts.world import World
from tests.resident.conftest import Residents, until

pytestmark = [
    pytest.mark.hosts,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform != "linux", reason="there runs are tried to outlive their hosts"),
]
QUESTION = {"prompt": "Tabs or spaces?", "web": False}


class Said:
    """A host that is driven by messages, one a line: what a person does in it arrives the same way."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def answer(self, number: int) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if message.get("id") == number:
                return message["result"]
        raise AssertionError("it ended")


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(faults=[{"path": "/responses", "never_ends": True}])


@pytest.fixture
def world(hosts: Installed, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A home whose sessions are served by a resident."""
    with simulator.serve_in_thread() as base_url:
        made = World(hosts, tmp_path_factory.mktemp("home"), base_url, "", {"OR_MCP_RESIDENT": "30"})
        residents = Residents({"OR_MCP_DATA_DIR": str(made.home / "data")})
        yield made
        residents.end()


@contextmanager
def driven(world: World, errors: IO[bytes], *command: str, **more: str) -> Generator[Said]:
    process = subprocess.Popen(
        [world.hosts.program(command[0]), *command[1:]],
        cwd=world.project,
        env=world.environment | more,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
    )
    try:
        yield Said(process)
    finally:
        process.kill()
        process.communicate()


def test_escape_in_claude_code_ends_the_run(world: World, simulator: Simulator):
    fuse = ToolUse(f"{PLUGIN_PREFIX}fuse", QUESTION)
    streams = ["--input-format", "stream-json", "--output-format", "stream-json", "--verbose"]
    options = ["--plugin-dir", PLUGIN, "--allowedTools", f"{PLUGIN_PREFIX}*"]
    with (
        (world.home / "errors").open("wb") as errors,
        serving(MessagesApi(), [fuse]) as api,
        driven(
            world,
            errors,
            *["claude", "-p", *streams, *options],
            ANTHROPIC_BASE_URL=api.url,
            ANTHROPIC_API_KEY="scripted",
            **WAITS,
        ) as claude,
    ):
        claude.send({"type": "user", "message": {"role": "user", "content": "Go."}})
        until(lambda: simulator.open_streams == 1)
        claude.send({"type": "control_request", "request_id": "1", "request": {"subtype": "interrupt"}})
        until(lambda: len(simulator.aborted) == 1)


def test_escape_in_codex_ends_the_run(world: World, simulator: Simulator):
    world.write(".codex/config.toml", CONFIG.read_text(encoding="utf-8"))
    with (
        (world.home / "errors").open("wb") as errors,
        serving(ResponsesApi(), [use("fuse", **QUESTION)]) as api,
        driven(world, errors, "codex", "app-server", *overrides(api), SCRIPTED_KEY="x") as codex,
    ):
        info = {"name": "test", "title": "Test", "version": "1"}
        codex.send({"id": 1, "method": "initialize", "params": {"clientInfo": info}})
        codex.answer(1)
        codex.send({"method": "initialized"})
        codex.send({"id": 2, "method": "thread/start", "params": {"cwd": str(world.project)}})
        thread = codex.answer(2)["thread"]["id"]
        said = [{"type": "text", "text": "Go."}]
        codex.send({"id": 3, "method": "turn/start", "params": {"threadId": thread, "input": said}})
        turn = codex.answer(3)["turn"]["id"]
        until(lambda: simulator.open_streams == 1)
        codex.send({"id": 4, "method": "turn/interrupt", "params": {"threadId": thread, "turnId": turn}})
        until(lambda: len(simulator.aborted) == 1)
