"""The real program in a process of its own."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
LEGACY, MODERN = "2025-11-25", "2026-07-28"


def environment(base_url: str, data: Path, **settings: str) -> dict[str, str]:
    """The variables of a program that talks to a simulated upstream, and nothing of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COVERAGE")}
    ours = {
        "OPENROUTER_API_KEY": "sk-or-test",
        "OPENROUTER_BASE_URL": base_url,
        "OR_MCP_DATA_DIR": str(data),
        "HOME": str(data),
        "OR_MCP_RESIDENT": "off",
        "PYTHONPATH": str(ROOT),
    }
    return kept | ours | settings


def ran(
    *arguments: str, env: Mapping[str, str], stdin: str = "", python: Sequence[str] = ("-m", "or_mcp")
) -> subprocess.CompletedProcess[str]:
    """The program, run to its end."""
    command = [sys.executable, *python, *arguments]
    return subprocess.run(
        command, env=env, cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


class Talk:
    """A process and what it says, line by line."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Path) -> None:
        self.process = process
        self.errors = errors
        self.lines: list[bytes] = []
        self._rest = b""
        self._number = 0

    def send(self, *lines: bytes) -> None:
        """Write lines to its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(line + b"\n" for line in lines))
        self.process.stdin.flush()

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Its reply to a request."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": dict(params or {})}
        self.send(json.dumps(message).encode())
        while True:
            reply = json.loads(self.line())
            if reply.get("id") == self._number and "method" not in reply:
                return reply

    def greet(self) -> dict[str, Any]:
        """Open the session as older hosts do."""
        info = {"name": "test", "version": "1"}
        reply = self.ask("initialize", {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": info})
        self.send(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}')
        return reply["result"]

    def line(self) -> bytes:
        """The next line of its stdout."""
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        while b"\n" not in self._rest:
            assert select.select([descriptor], [], [], PATIENCE)[0], f"silent; {self.told()}"
            data = os.read(descriptor, 1 << 20)
            assert data, f"it ended; {self.told()}"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        self.lines.append(line)
        return line

    def told(self) -> str:
        """What it wrote to stderr so far."""
        return self.errors.read_text(errors="replace")

    def ends_within(self, seconds: float) -> int:
        """Its exit code."""
        return self.process.wait(seconds)


@contextmanager
def started(
    *arguments: str, env: Mapping[str, str], python: Sequence[str] = ("-m", "or_mcp"), ignore_stdin: bool = False
) -> Generator[Talk]:
    """The program, running. It is killed when the block is left, if it still runs."""
    with tempfile.NamedTemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, *python, *arguments],
            env=env,
            cwd=ROOT,
            stdin=subprocess.DEVNULL if ignore_stdin else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            yield Talk(process, Path(errors.name))
        finally:
            process.terminate()
            try:
                process.wait(12)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def serving_http(env: Mapping[str, str], *arguments: str) -> Generator[str]:
    """The program serving over HTTP; yields its root URL."""
    port = free_port()
    with started("serve", "--http", "--port", str(port), *arguments, env=env, ignore_stdin=True) as talk:
        root = f"http://127.0.0.1:{port}"
        until_healthy(root, talk)
        yield root


def until_healthy(root: str, talk: Talk) -> None:
    """Wait until a server that was started answers."""
    until = time.monotonic() + PATIENCE
    while fetched(f"{root}/healthz")[0] != 200:
        assert talk.process.poll() is None, talk.told()
        assert time.monotonic() < until, talk.told()
        time.sleep(0.05)


def fetched(url: str, *, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of a request; status 0 when nobody answers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, named, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=120) as reply:
            return reply.status, dict(reply.headers), reply.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, dict(refusal.headers), refusal.read()
    except OSError:
        return 0, {}, b""
