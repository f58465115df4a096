"""`or-mcp serve --http` with what `or-mcp[http]` adds, and without it: quicker, and otherwise the same."""

from __future__ import annotations

import socket
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from or_mcp.simulator import Simulator
from tests.serving.programs import LEGACY, environment, fetched, free_port, started, until_healthy
from tests.serving.test_http_doors import ACCEPT

# The program as it is where somebody installed it without.
WITHOUT = (
    "import sys; sys.modules['uvloop'] = sys.modules['httptools'] = None; from or_mcp.__main__ import main; main()"
)
ADDED = ("uvloop", "httptools")


@pytest.fixture(scope="module")
def simulator() -> Generator[str]:
    with Simulator().serve_in_thread() as base_url:
        yield base_url


@pytest.fixture(scope="module", params=["with", "without"])
def served(request: pytest.FixtureRequest, simulator: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    env = environment(simulator, tmp_path_factory.mktemp(request.param))
    port = free_port()
    python = ("-c", WITHOUT) if request.param == "without" else ("-m", "or_mcp")
    with started("serve", "--http", "--port", str(port), env=env, python=python, ignore_stdin=True) as talk:
        until_healthy(f"http://127.0.0.1:{port}", talk)
        if sys.platform == "linux":
            loaded = Path(f"/proc/{talk.process.pid}/maps").read_text()
            assert [name in loaded for name in ADDED] == [request.param == "with"] * 2
        yield f"http://127.0.0.1:{port}"


def called(root: str, tool: str, **arguments: object) -> tuple[str, bytes]:
    """The content type and the body of what somebody without a session is answered."""
    params = {"name": tool, "arguments": arguments}
    status, headers, body = fetched(
        f"{root}/mcp",
        method="POST",
        body={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
        Content_Type="application/json",
        Accept=ACCEPT,
        MCP_Protocol_Version=LEGACY,
    )
    assert status == 200, body
    return {name.lower(): value for name, value in headers.items()}["content-type"], body


def test_what_is_free_and_soon_there_is_answered_without_a_stream(served: str):
    for tool in ("list_models", "account"):
        kind, body = called(served, tool)
        assert kind.startswith("application/json")
        assert b'"structuredContent"' in body


def test_what_is_paid_or_waits_is_a_stream_whose_end_can_be_told(served: str):
    kind, body = called(served, "ask", model="openai/gpt-5-mini", prompt="Hello?")
    assert kind.startswith("text/event-stream")
    assert b'"status":"completed"' in body.replace(b'": "', b'":"')
    assert called(served, "run")[0].startswith("text/event-stream")


def test_spaces_around_a_headers_value_are_no_part_of_it(served: str):
    status, _, body = fetched(
        f"{served}/mcp",
        method="POST",
        body={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        Content_Type="application/json",
        Accept=ACCEPT,
        MCP_Protocol_Version=f" {LEGACY} \t ",
    )
    assert status == 200, body


def test_headers_without_end_are_let_go(served: str):
    sent = 0
    port = int(served.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=120) as client, suppress(OSError):
        client.sendall(b"POST /mcp HTTP/1.1\r\n")
        while sent < 50_000_000:
            sent += client.send(b"x-more: " + b"y" * 10_000 + b"\r\n")
    assert sent < 50_000_000
    assert fetched(f"{served}/healthz")[0] == 200
