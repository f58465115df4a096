"""Thousands of messages gone wrong, with runs in flight: the program lives, and every run completes."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from or_mcp.simulator import Simulator
from tests.attacks.mutating import mutated
from tests.serving.programs import LEGACY, Talk, environment, serving_http, started

FEW, MANY = 300, 10_000
RUNS = 3


@pytest.fixture
def base_url() -> Generator[str]:
    """A simulated upstream whose answers take a while."""
    simulator = Simulator()
    simulator.script({"path": "/chat/completions", "latency_ms": 1500})
    with simulator.serve_in_thread() as address:
        yield address


def question(number: int) -> dict[str, Any]:
    arguments = {"model": "openai/gpt-5-mini", "prompt": f"Does run {number} in flight complete?", "wait_seconds": 0}
    return {"name": "ask", "arguments": arguments}


def begun(talk: Talk) -> list[str]:
    return [talk.ask("tools/call", question(number))["result"]["structuredContent"]["run_id"] for number in range(RUNS)]


@pytest.mark.parametrize(
    ("seed", "count"), [(1, FEW), pytest.param(2, MANY, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_on_stdio(base_url: str, tmp_path: Path, seed: int, count: int):
    with started(env=environment(base_url, tmp_path)) as talk:
        talk.greet()
        runs = begun(talk)
        lines = list(mutated(seed, count))
        # Answers are read while messages are written: the pipes hold only so much.
        last = b'{"jsonrpc": "2.0", "id": "last", "method": "ping"}'
        writing = threading.Thread(target=lambda: [talk.send(line) for line in (*lines, last)])
        writing.start()
        while json.loads(talk.line()).get("id") != "last":
            pass
        writing.join()
        for run_id in runs:
            told = talk.ask("tools/call", {"name": "run", "arguments": {"run_id": run_id, "wait_seconds": 30}})
            assert told["result"]["structuredContent"]["status"] == "completed", told
        assert all(json.loads(line)["jsonrpc"] == "2.0" for line in talk.lines)
        assert talk.process.poll() is None
        assert "Traceback" not in talk.told()


def posted(root: str, body: bytes) -> bytes:
    """A message over a connection of its own; whatever comes back."""
    parts = urlsplit(root)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=120) as connection:
        connection.sendall(
            b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (LEGACY.encode(), len(body), body)
        )
        return b"".join(iter(lambda: connection.recv(65536), b""))


def result(reply: bytes) -> dict[str, Any]:
    [data] = [line for line in reply.splitlines() if line.startswith(b"data: {")]
    return json.loads(data.removeprefix(b"data: "))["result"]


def call(root: str, params: dict[str, Any]) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return result(posted(root, json.dumps(message).encode()))["structuredContent"]


@pytest.mark.parametrize(
    ("seed", "count"), [(3, FEW), pytest.param(4, MANY, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_over_http(base_url: str, tmp_path: Path, seed: int, count: int):
    with serving_http(environment(base_url, tmp_path)) as root:
        runs = [call(root, question(number))["run_id"] for number in range(RUNS)]
        for body in mutated(seed, count):
            status = posted(root, body).partition(b"\r\n")[0]
            assert status.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4")), (status, body)
        for run_id in runs:
            told = call(root, {"name": "run", "arguments": {"run_id": run_id, "wait_seconds": 30}})
            assert told["status"] == "completed", told
