"""Several processes behind one port are counted as one."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.serving.programs import environment, fetched, free_port, started, until_healthy


@contextmanager
def two_workers(tmp_path: Path) -> Generator[tuple[str, int]]:
    env = environment("http://127.0.0.1:1/api/v1", tmp_path / "data", TMPDIR=str(tmp_path), OR_MCP_STORE="off")
    port = free_port()
    arguments = ("serve", "--http", "--workers", "2", "--port", str(port))
    with started(*arguments, env=env, ignore_stdin=True) as talk:
        until_healthy(f"http://127.0.0.1:{port}", talk)
        yield f"http://127.0.0.1:{port}", talk.process.pid
        talk.process.terminate()
        talk.ends_within(30)


def counted(root: str, what: str) -> float:
    status, _, body = fetched(f"{root}/metrics")
    assert status == 200
    return sum(float(found) for found in re.findall(rf"^{re.escape(what)} (\S+)$", body.decode(), re.MULTILINE))


def workers_of(supervisor: int) -> list[int]:
    """The processes that serve, each with both ends of the work: the rest of the children keep track of resources."""
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text(encoding="utf-8").split()
    return [int(each) for each in children if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@contextmanager
def half_asked(root: str, count: int) -> Generator[None]:
    """Requests whose bodies do not come."""
    host, port = root.removeprefix("http://").split(":")
    head = f"POST /mcp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    with ExitStack() as asked:
        for _ in range(count):
            asked.enter_context(socket.create_connection((host, int(port)), 10)).sendall(head.encode())
        yield


def until_in_flight(root: str, expected: int) -> None:
    deadline = time.monotonic() + 20
    while (flying := counted(root, "or_mcp_http_requests_in_flight")) != expected:
        assert time.monotonic() < deadline, flying
        time.sleep(0.05)


def until_two_serve(root: str, supervisor: int, gone: int) -> None:
    deadline = time.monotonic() + 40
    while gone in workers_of(supervisor) or len(workers_of(supervisor)) < 2:
        assert time.monotonic() < deadline, "the worker was not replaced"
        time.sleep(0.05)
    assert fetched(f"{root}/healthz")[0] == 200


@pytest.mark.timeout(120)
def test_whichever_worker_answers_tells_the_same_counts_and_they_outlive_a_worker(tmp_path: Path):
    with two_workers(tmp_path) as (root, supervisor):
        for _ in range(20):
            assert fetched(f"{root}/healthz")[0] == 200
        healthy = 'or_mcp_http_requests_total{method="GET",path="/healthz",status="200"}'
        seen = [counted(root, healthy) for _ in range(20)]
        assert seen == [seen[0]] * 20
        assert seen[0] >= 20

        with half_asked(root, 8):
            until_in_flight(root, 9)
            killed = max(workers_of(supervisor), key=open_files)
            os.kill(killed, signal.SIGKILL)
            until_two_serve(root, supervisor, killed)
        assert counted(root, healthy) > seen[0]
        until_in_flight(root, 1)
    assert not list(tmp_path.glob("or-mcp-metrics-*"))


@pytest.mark.timeout(120)
def test_a_worker_that_does_not_know_the_others_says_what_is_missing_instead_of_counting_alone(tmp_path: Path):
    port = free_port()
    env = environment("http://127.0.0.1:1/api/v1", tmp_path)
    arguments = ("or_mcp.http_app:app", "--workers", "2", "--port", str(port))
    with started(*arguments, env=env, ignore_stdin=True, python=("-m", "uvicorn")) as talk:
        until_healthy(f"http://127.0.0.1:{port}", talk)
        status, _, body = fetched(f"http://127.0.0.1:{port}/metrics")
    assert status == 503
    assert "PROMETHEUS_MULTIPROC_DIR" in body.decode()
