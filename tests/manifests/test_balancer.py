"""The balancer of `manifests/docker`: every replica answers, nothing is held back, nothing paid for is sent twice."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from or_mcp.simulator import Simulator
from tests.conftest import text_of
from tests.manifests.balancer import BODY, NGINX, balanced, replica
from tests.serving.programs import PATIENCE, environment, free_port, serving_http

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@contextmanager
def sent(root: str) -> Generator[http.client.HTTPResponse]:
    """The reply to a POST, its body not yet read."""
    address = urlsplit(root)
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE)) as connection:
        connection.request("POST", "/mcp", BODY, {"Content-Type": "application/json"})
        with connection.getresponse() as reply:
            yield reply


def status_of(root: str) -> int:
    """The status of the reply to a POST."""
    with sent(root) as reply:
        return reply.status


def fine(connection: socket.socket) -> None:
    connection.sendall(FINE)


def dying(connection: socket.socket) -> None:
    connection.close()


def test_replicas_take_turns(tmp_path: Path):
    with replica(fine) as (one, first), replica(fine) as (two, second), balanced(tmp_path, [one, two]) as root:
        assert [status_of(root) for _ in range(8)] == [200] * 8
    assert len(first) + len(second) == 8
    assert min(len(first), len(second)) >= 2


def test_a_call_that_a_replica_took_to_its_grave_is_not_sent_to_another(tmp_path: Path):
    with replica(dying) as (one, first), replica(dying) as (two, second), balanced(tmp_path, [one, two]) as root:
        assert status_of(root) == 502
        assert len(first) + len(second) == 1


def test_a_call_that_no_replica_has_seen_goes_to_the_next(tmp_path: Path):
    nobody = f"127.0.0.1:{free_port()}"
    with replica(fine) as (there, received), balanced(tmp_path, [nobody, there]) as root:
        assert [status_of(root) for _ in range(4)] == [200] * 4
    assert len(received) == 4


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
def test_what_a_replica_says_arrives_before_it_has_finished(tmp_path: Path, kind: str):
    read = threading.Event()

    def slow(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\nfirst".encode())
        assert read.wait(PATIENCE), "the first part was held back"
        connection.sendall(b" last")

    with replica(slow) as (address, _), balanced(tmp_path, [address]) as root, sent(root) as reply:
        assert reply.read(5) == b"first"
        read.set()
        assert reply.read() == b" last"


def test_a_host_that_leaves_is_noticed_by_the_replica(tmp_path: Path):
    left = threading.Event()

    def waiting(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        connection.settimeout(PATIENCE)
        if connection.recv(1) == b"":
            left.set()

    with replica(waiting) as (address, _), balanced(tmp_path, [address]) as root:
        with sent(root) as reply:
            assert reply.read(7) == b"data: 1"
        assert left.wait(PATIENCE)


def test_the_replica_sees_the_host_that_was_asked_and_the_bearer(tmp_path: Path):
    with replica(fine) as (address, received), balanced(tmp_path, [address]) as root:
        httpx2.post(f"{root}/mcp", content=BODY, headers={"Authorization": "Bearer sk-or-mine"})
    (request,) = received
    assert f"Host: {urlsplit(root).netloc}\r\n".encode() in request
    assert b"authorization: bearer sk-or-mine" in request.lower()
    assert b"sk-or-mine" not in b"".join(path.read_bytes() for path in tmp_path.glob("access"))


def test_what_replicas_count_is_not_shown_outside(tmp_path: Path):
    with replica(fine) as (address, received), balanced(tmp_path, [address]) as root:
        assert httpx2.get(f"{root}/metrics").status_code == 404
    assert not received


@pytest.mark.slow
async def test_two_real_replicas_answer_through_it_as_one(tmp_path: Path):
    upstream = Simulator()
    folder = tmp_path / "nginx"
    folder.mkdir()
    with upstream.serve_in_thread() as base_url, ExitStack() as running:
        env = environment(base_url, tmp_path / "data", OR_MCP_HTTP_AUTH="passthrough")
        roots = [running.enter_context(serving_http(env)) for _ in range(2)]
        root = running.enter_context(balanced(folder, [urlsplit(each).netloc for each in roots]))
        headers = {"Authorization": "Bearer sk-or-mine"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http,
            Client(streamable_http_client(f"{root}/mcp", http_client=http), mode="auto") as client,
        ):
            asked: Any = await client.call_tool("ask", {"prompt": "Hello", "model": "openai/gpt-5-mini"})
            assert not asked.is_error, text_of(asked)
            for _ in range(6):
                found: Any = await client.call_tool("run", {"run_id": asked.structured_content["run_id"]})
                assert found.structured_content["status"] == "completed"
    assert len(upstream.posts()) == 1
