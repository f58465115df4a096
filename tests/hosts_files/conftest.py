"""A home directory with a host's configuration in it, and our program run there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from or_mcp.cli import main
from or_mcp.hosts.document import Document
from or_mcp.hosts.entry import Entry
from or_mcp.hosts.host import Host, Machine
from or_mcp.hosts.table import HOSTS

SAMPLES = Path(__file__).parents[1] / "data" / "hosts"
_ELSEWHERE = (
    *("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "UV"),
    *("COPILOT_HOME", "CLINE_DATA_DIR", "CLINE_MCP_SETTINGS_PATH"),
)


def host_named(name: str) -> Host:
    return next(host for host in HOSTS if host.name == name)


@dataclass(frozen=True)
class Told:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Home:
    """One user's home and the project they stand in."""

    path: Path
    project: Path
    capture: pytest.CaptureFixture[str]

    def file(self, host: str) -> Path:
        return host_named(host).user_file(Machine({"HOME": str(self.path)}, "linux"))

    def place(self, host: str, content: bytes, mode: int = 0o644) -> Path:
        file = self.file(host)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode)
        return file

    def install(self, *arguments: str) -> Told:
        code = main(["install", *arguments])
        told = self.capture.readouterr()
        return Told(code, told.out, told.err)

    def entry(self, host: str, file: Path | None = None) -> Entry:
        found = Document.read(host_named(host), (file or self.file(host)).read_bytes()).entry()
        assert found is not None
        return found

    def left_behind(self) -> list[str]:
        return sorted(str(path.relative_to(self.path)) for path in self.path.rglob("*") if not path.is_dir())


def answering(program: Path) -> None:
    """A program that answers a host's first messages, as ours does."""
    hello = '{"jsonrpc": "2.0", "id": 1, "result": {"serverInfo": {"version": "1.2.3"}}}'
    there = '{"jsonrpc": "2.0", "id": 2, "result": {}}'
    program.write_text(f"#!/bin/sh\nread -r said\necho '{hello}'\nread -r said\necho '{there}'\n")
    program.chmod(0o755)


def words(entry: Entry) -> list[str]:
    """What an entry starts: the command is a list in one host."""
    return [entry["command"], *entry["args"]] if "args" in entry else entry["command"]


def variables(entry: Entry) -> dict[str, str]:
    return entry.get("env") or entry["environment"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Home:
    """A home where `uvx` is on the PATH, and no variable of ours is set."""
    for name in os.environ:
        if name.startswith(("OR_MCP_", "OPENROUTER_")) or name in _ELSEWHERE:
            monkeypatch.delenv(name)
    tools, own, project = tmp_path / "tools", tmp_path / "home", tmp_path / "home" / "project"
    for directory in (tools, project):
        directory.mkdir(parents=True)
    answering(tools / "uvx")
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("HOME", str(own))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.chdir(project)
    return Home(own, project, capsys)


@pytest.fixture
def store_a_key(home: Home) -> Callable[[str], Any]:
    """Do what `or-mcp login` does at its end."""
    from or_mcp.places import credentials_file
    from or_mcp.sign_in.credentials import store_key

    def store(key: str) -> None:
        store_key(credentials_file({"HOME": str(home.path)}), "https://openrouter.ai/api/v1", key)

    return store
