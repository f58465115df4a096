"""Servers that nobody here wrote, lent to a scripted model: over stdio and HTTP, in both eras of the protocol."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import pytest
from mcp import Client

from or_mcp.server import Program
from or_mcp.settings import read_settings
from or_mcp.simulator import Simulator
from tests.conftest import text_of
from tests.hosts.installed import Installed, servers_installed
from tests.oracle import request_problems
from tests.servers.world import CHAT, MINI, answers, calls, outputs
from tests.serving.programs import LEGACY, MODERN, free_port
from tests.view.test_browser import chromium

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(240)]
both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])
# What each server of others speaks of the newest it can: both eras, between them.
SPEAKS = {"files": LEGACY, "everything": LEGACY, "memory": LEGACY, "git": MODERN, "time": MODERN}


@pytest.fixture(scope="module")
def lent() -> Installed:
    return servers_installed()


@pytest.fixture
def file(lent: Installed, tmp_path: Path) -> Path:
    """The servers in a file, as a host has them."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "notes.txt").write_text("The key is under the mat.")
    git = ["git", "-C", str(tmp_path / "project"), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "First thought"]):
        subprocess.run([*git, *command], check=True)
    project, env = str(tmp_path / "project"), {"PATH": lent.path}
    python = [str(lent.python), "-m"]
    servers = {
        "files": {"command": lent.program("mcp-server-filesystem"), "args": [project], "env": env},
        "everything": {"command": lent.program("mcp-server-everything"), "env": env},
        "memory": {
            "command": lent.program("mcp-server-memory"),
            "env": env | {"MEMORY_FILE_PATH": str(tmp_path / "memory.jsonl")},
        },
        "git": {"command": python[0], "args": ["-m", "mcp_server_git", "--repository", project]},
        "time": {"command": python[0], "args": ["-m", "mcp_server_time", "--local-timezone", "UTC"]},
    }
    path = tmp_path / "servers.json"
    path.write_text(json.dumps({"mcpServers": {name: {**entry, "allow": ["*"]} for name, entry in servers.items()}}))
    return path


@asynccontextmanager
async def connected(file: Path, mode: str, simulator: Simulator) -> AsyncGenerator[Client]:
    async with simulator.running() as base_url:
        environ = {
            "OPENROUTER_API_KEY": "sk-or-test",
            "OPENROUTER_BASE_URL": base_url,
            "OR_MCP_DATA_DIR": str(file.parent / "data"),
            "HOME": str(file.parent),
            "OR_MCP_SERVERS": str(file),
        }
        async with Client(Program(read_settings(environ)).server, mode=mode) as client:
            yield client


async def asked(client: Client, *servers: str) -> dict[str, Any]:
    result = await client.call_tool("ask", {"model": MINI, "servers": list(servers), "prompt": "Do it."})
    assert not result.is_error, text_of(result)
    return result.structured_content or {}


def read_at_last(simulator: Simulator) -> list[str]:
    """What the model has read of all its calls; each request was one that upstream takes."""
    bodies = [post.body for post in simulator.posts(CHAT)]
    assert not [problem for body in bodies for problem in request_problems(CHAT, body)]
    return outputs(bodies[-1])


@both_eras
async def test_a_model_completes_a_task_over_three_servers(file: Path, mode: str):
    note = str(file.parent / "project" / "notes.txt")
    entity = {"name": "key", "entityType": "thing", "observations": ["under the mat"]}
    simulator = Simulator()
    simulator.script(
        calls(("files__read_text_file", {"path": note}), ("git__git_log", {"repo_path": str(Path(note).parent)})),
        calls(("memory__create_entities", {"entities": [entity]})),
        answers("It is under the mat."),
    )
    async with connected(file, mode, simulator) as client:
        answer = await asked(client, "files", "git", "memory")
    assert answer["text"] == "It is under the mat."
    read, log, created = read_at_last(simulator)
    assert "The key is under the mat." in read
    assert "First thought" in log
    assert "under the mat" in created
    assert "under the mat" in (file.parent / "memory.jsonl").read_text()


async def test_every_server_of_others_offers_its_tools_in_its_own_era(file: Path, caplog: pytest.LogCaptureFixture):
    simulator = Simulator(faults=[answers("Nothing to do.")])
    with caplog.at_level("INFO", "or_mcp.servers"):
        async with connected(file, "auto", simulator) as client:
            await asked(client, *SPEAKS)
    assert {f"{name} speaks MCP {era}" for name, era in SPEAKS.items()} <= set(caplog.messages)
    functions = [tool["function"] for tool in simulator.posts(CHAT)[0].body["tools"]]
    names = [function["name"] for function in functions]
    assert {"files__list_directory", "git__git_status", "time__convert_time", "everything__echo"} <= set(names)
    assert all(len(name) <= 64 for name in names)
    told = json.dumps([function["parameters"] for function in functions])
    assert not [word for word in ("$ref", "anyOf", "oneOf", "allOf", "$schema", "null") if f'"{word}"' in told]


async def test_what_is_outside_of_the_allowed_folder_stays_outside(file: Path):
    simulator = Simulator()
    simulator.script(calls(("files__read_text_file", {"path": "/etc/hostname"})), answers("I may not."))
    async with connected(file, "auto", simulator) as client:
        await asked(client, "files")
    assert "Access denied" in read_at_last(simulator)[0]


def test_the_example_finds_out_which_programs_are_installed(lent: Installed, tmp_path: Path):
    simulator = Simulator()
    simulator.script(calls(("files__list_directory", {"path": "/usr/bin"})), answers("git is there."))
    npx = tmp_path / "npx"
    npx.write_text(f'#!/bin/sh\nshift 2\nexec {lent.program("mcp-server-filesystem")} "$@"\n')
    npx.chmod(0o755)
    with simulator.serve_in_thread() as base_url:
        environ = {
            "PATH": f"{tmp_path}:{lent.path}",
            "HOME": str(tmp_path),
            "OPENROUTER_API_KEY": "sk-or-test",
            "OPENROUTER_BASE_URL": base_url,
            "OR_MCP": f"{sys.executable} -m or_mcp",
        }
        script = Path(__file__).parents[2] / "examples" / "programs.sh"
        done = subprocess.run([str(script)], env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "git is there." in done.stdout
    assert "[FILE] git" in read_at_last(simulator)[0]


@contextmanager
def running(command: list[str], port: int, **env: str) -> Generator[str]:
    """A server of somebody else's over HTTP, and its address."""
    process = subprocess.Popen(
        command, env={"HOME": os.environ.get("HOME", "/"), **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(1_200):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


@contextmanager
def over_http(lent: Installed, file: Path, era: str) -> Generator[str]:
    """What echoes in the older era, and what knows the time in the newer one."""
    port = free_port()
    if era == LEGACY:
        everything = [lent.program("mcp-server-everything"), "streamableHttp"]
        with running(everything, port, PATH=lent.path, PORT=str(port)) as url:
            yield url
        return
    config = file.parent / "time.json"
    config.write_text(json.dumps({"mcpServers": {"time": json.loads(file.read_text())["mcpServers"]["time"]}}))
    fastmcp = [str(lent.python.parent / "fastmcp"), "run", str(config), "--transport", "http", "--no-banner"]
    with running([*fastmcp, "--port", str(port)], port, PATH=lent.path) as url:
        yield url


CONVERT = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}
REMOTE = {LEGACY: ("echo", {"message": "hello"}, "hello"), MODERN: ("convert_time", CONVERT, "21:00")}


@both_eras
@pytest.mark.parametrize("era", [LEGACY, MODERN])
async def test_a_server_of_others_is_used_over_http_beside_one_over_stdio(
    lent: Installed, file: Path, mode: str, era: str, caplog: pytest.LogCaptureFixture
):
    tool, given, expected = REMOTE[era]
    simulator = Simulator()
    note = str(file.parent / "project" / "notes.txt")
    simulator.script(
        calls((f"remote__{tool}", given), ("files__read_text_file", {"path": note})), answers("It is nine.")
    )
    with over_http(lent, file, era) as url, caplog.at_level("INFO", "or_mcp.servers"):
        servers = json.loads(file.read_text())["mcpServers"] | {"remote": {"type": "http", "url": url, "allow": ["*"]}}
        await anyio.Path(file).write_text(json.dumps({"mcpServers": servers}))
        async with connected(file, mode, simulator) as client:
            answer = await asked(client, "remote", "files")
    assert answer["text"] == "It is nine."
    came, read = read_at_last(simulator)
    assert expected in came
    assert "The key is under the mat." in read
    assert f"remote speaks MCP {era}" in caplog.messages


@contextmanager
def a_page(folder: Path) -> Generator[str]:
    """A page of this machine, and its address."""
    folder.mkdir()
    (folder / "page.html").write_text("<title>Keys</title><h1>Where things are</h1><p>The key is under the mat.</p>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/page.html"
        finally:
            server.shutdown()
            thread.join()


@both_eras
async def test_a_model_reads_a_page_in_a_browser_and_sees_it(lent: Installed, tmp_path: Path, mode: str):
    browser = ["--executable-path", chromium(), "--headless", "--no-sandbox", "--isolated"]
    entry = {"command": lent.program("playwright-mcp"), "args": browser, "env": {"PATH": lent.path}}
    servers = tmp_path / "servers.json"
    servers.write_text(json.dumps({"mcpServers": {"web": entry | {"cwd": str(tmp_path), "allow": ["browser_*"]}}}))
    simulator = Simulator()
    with a_page(tmp_path / "site") as url:
        simulator.script(
            calls(("web__browser_navigate", {"url": url})),
            calls(("web__browser_snapshot", {}), ("web__browser_take_screenshot", {})),
            answers("It is under the mat."),
        )
        async with connected(servers, mode, simulator) as client:
            answer = await asked(client, "web")
    assert answer["text"] == "It is under the mat."
    went, read, _ = read_at_last(simulator)
    assert "Page Title: Keys" in went
    assert "The key is under the mat." in read
    seen = simulator.posts(CHAT)[-1].body["messages"][-1]
    assert seen["content"][1]["image_url"]["url"].startswith("data:image/")
