"""Several processes behind nginx, without stickiness: nothing paid for is lost, and nothing is paid twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client

from or_mcp.simulator import Simulator
from or_mcp.tasks.wire import EXTENSION
from tests.serving.programs import MODERN, environment, fetched, free_port, ran, started, until_healthy

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIGURATION = """
daemon off; pid {place}/nginx.pid; error_log {place}/error.log; worker_processes 1;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  upstream workers {{ {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://workers; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_buffering off; proxy_read_timeout 1h; proxy_connect_timeout 2s;
    }}
  }}
}}
"""
CALLS = 200
DEAR = {"prompt": "Dear?", "analysis_models": ["openai/gpt-5.6-sol"], "web": False}


@contextmanager
def nginx(place: Path, ports: list[int]) -> Generator[str]:
    """A round-robin balancer; yields its root URL."""
    assert NGINX is not None
    port = free_port()
    servers = " ".join(f"server 127.0.0.1:{each} max_fails=0;" for each in ports)
    place.mkdir(parents=True, exist_ok=True)
    (place / "nginx.conf").write_text(CONFIGURATION.format(place=place, port=port, servers=servers))
    command = [NGINX, "-p", str(place), "-c", str(place / "nginx.conf"), "-e", str(place / "error.log")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        root = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 20
        while fetched(f"{root}/healthz")[0] != 200:
            assert time.monotonic() < until, (place / "error.log").read_text()
            time.sleep(0.05)
        yield root
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def workers(env: Mapping[str, str], count: int = 2) -> Generator[list[tuple[int, Any]]]:
    """Processes of the app, each on a port of its own, as in containers."""
    with ExitStack() as stack:
        begun: list[tuple[int, Any]] = []
        for _ in range(count):
            port = free_port()
            arguments = ("or_mcp.http_app:app", "--port", str(port), "--no-access-log", "--log-level", "warning")
            talk = stack.enter_context(started(*arguments, env=env, python=("-m", "uvicorn"), ignore_stdin=True))
            begun.append((port, talk))
        for port, talk in begun:
            until_healthy(f"http://127.0.0.1:{port}", talk)
        yield begun


needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: nginx-light)")


@needs_nginx
@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_with_200_calls_at_once_and_one_worker_killed_every_paid_run_is_accounted_for_and_none_twice(
    tmp_path: Path,
):
    simulator = Simulator(faults=[{"path": "/chat/completions", "duration_s": 6}], credit="1000")
    with simulator.serve_in_thread() as base_url:
        env = environment(base_url, tmp_path / "data")
        with workers(env) as (one, two), nginx(tmp_path / "nginx", [one[0], two[0]]) as root:
            answered = await storm(root, simulator, one[1])
            runs = await settled(tmp_path / "data")
            async with Client(f"http://127.0.0.1:{two[0]}/mcp") as survivor:
                account = (await survivor.call_tool("account", {})).structured_content
    posts = Counter(request.body["messages"][-1]["content"] for request in simulator.posts("/chat/completions"))
    assert len(posts) > CALLS // 2
    assert set(posts.values()) == {1}
    recorded = Counter(run.prompt for run in runs)
    assert set(recorded.values()) == {1}
    assert set(posts) <= set(recorded)
    statuses = Counter(run.status for run in runs)
    assert set(statuses) == {"completed", "interrupted"}, statuses
    assert answered >= CALLS // 4
    used = account["key"]["used_today_usd"]
    known = sum(run.cost for run in runs if run.cost is not None)
    assert account["today"]["total_usd"] == pytest.approx(known, abs=1e-6)
    # What is not known is set aside in full: the budget never counts less than was spent.
    assert known <= used + 1e-6
    assert sum(run.charged for run in runs) >= used - 1e-6
    if all(run.cost is not None for run in runs):
        assert known == pytest.approx(used, abs=1e-6)


async def storm(root: str, simulator: Simulator, victim: Any) -> int:
    """200 calls at once through the balancer, one worker killed amid them; how many were answered all the same."""
    answered = 0

    async def ask(client: Client, number: int) -> None:
        nonlocal answered
        try:
            result = await client.call_tool("ask", {"model": "openai/gpt-5-mini", "prompt": f"Question {number}?"})
        except Exception:  # noqa: BLE001
            return
        answered += not result.is_error

    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(f"{root}/mcp")) for _ in range(20)]
        for client in clients:
            await client.list_tools()
        with anyio.fail_after(120):
            async with anyio.create_task_group() as group:
                for number in range(CALLS):
                    group.start_soon(ask, clients[number % len(clients)], number)
                while simulator.open_streams < CALLS // 2:
                    await anyio.sleep(0.02)
                victim.process.send_signal(signal.SIGKILL)
    return answered


@dataclass(frozen=True)
class Run:
    """A run as the store holds it."""

    prompt: str
    status: str
    generation: str | None
    cost: float | None
    charged: float


async def settled(data: Path) -> list[Run]:
    """The runs, once none is under way and every cost that can be known is."""
    with closing(sqlite3.connect(data / "runs.sqlite3")) as connection, anyio.fail_after(60):
        while True:
            rows = connection.execute(
                "SELECT prompt, CASE WHEN lost_at IS NULL THEN status ELSE 'interrupted' END, generation_id, "
                "cost_usd, charged_usd FROM runs"
            ).fetchall()
            runs = [
                Run(prompt, status, generation, None if cost is None else cost / 1e12, charged / 1e12)
                for prompt, status, generation, cost, charged in rows
            ]
            if not any(run.status == "running" or (run.generation and run.cost is None) for run in runs):
                return runs
            await anyio.sleep(0.2)


@needs_nginx
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_hosts_of_both_eras_work_behind_a_balancer_without_stickiness(tmp_path: Path, mode: str):
    simulator = Simulator(faults=[{"path": "/responses", "contains": "stall", "stall_at_event": 10}])
    with simulator.serve_in_thread() as base_url:
        env = environment(base_url, tmp_path / "data")
        with workers(env) as (one, two), nginx(tmp_path / "nginx", [one[0], two[0]]) as root:
            async with Client(f"{root}/mcp", mode=mode) as client:
                for _ in range(6):
                    assert len((await client.list_tools()).tools) == 10
                begun = await client.call_tool("fuse", {"prompt": "Either?", "web": False, "wait_seconds": 0})
                run_id = begun.structured_content["run_id"]
                for _ in range(4):
                    found = await client.call_tool("run", {"run_id": run_id, "wait_seconds": 20})
                    assert found.structured_content["outcome"] == "fused"
                for number in range(4):
                    result = await client.call_tool("ask", {"model": "openai/gpt-5-mini", "prompt": f"{number}?"})
                    assert not result.is_error


@pytest.mark.slow
@pytest.mark.parametrize("extensions", [{}, {EXTENSION: {}}])
async def test_a_question_asked_by_one_worker_is_answered_at_another_and_only_by_whom_it_was_asked(
    tmp_path: Path, extensions: dict[str, Any]
):
    simulator = Simulator()
    settings = {"OR_MCP_HTTP_AUTH": "token", "OR_MCP_HTTP_TOKENS": "anns-token,bobs-token"}
    with simulator.serve_in_thread() as base_url:
        env = environment(base_url, tmp_path / "data", OR_MCP_MAX_COST_PER_CALL_USD="1.5", **settings)
        with workers(env) as (one, two):
            here, there = (f"http://127.0.0.1:{port}/mcp" for port, _ in (one, two))
            question = await asked(here, "anns-token", extensions)
            assert "may cost" in str(question.get("inputRequests")), question
            stolen = await asked(there, "bobs-token", extensions, question["requestState"])
            answered = await asked(there, "anns-token", extensions, question["requestState"])
    assert "Invalid or expired requestState" in str(stolen)
    assert (
        answered["resultType"] == "task"
        if "taskId" in answered
        else answered["structuredContent"]["outcome"] == "fused"
    )
    assert len(simulator.posts("/responses")) == 1


async def asked(url: str, bearer: str, extensions: dict[str, Any], state: str | None = None) -> dict[str, Any]:
    """A call as a host of 2026 makes it; with a state, its user agrees."""
    meta: dict[str, Any] = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}, "extensions": extensions},
    }
    params: dict[str, Any] = {"name": "fuse", "arguments": DEAR, "_meta": meta}
    if state is not None:
        agreed = {"confirm": {"action": "accept", "content": {"go": True}}}
        params |= {"requestState": state, "inputResponses": agreed}
    headers = {
        "Authorization": f"Bearer {bearer}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": "tools/call",
        "Mcp-Name": "fuse",
    }
    async with httpx2.AsyncClient(timeout=30) as http:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        reply = await http.post(url, json=body, headers=headers)
    lines = [line.removeprefix("data: ") for line in reply.text.splitlines() if line.startswith("data: {")]
    told = json.loads(lines[-1] if lines else reply.text)
    return told.get("result") or told


@pytest.mark.slow
def test_workers_of_one_command_are_replaced_when_they_die_and_end_together(tmp_path: Path):
    simulator = Simulator()
    with simulator.serve_in_thread() as base_url:
        port = free_port()
        arguments = ("serve", "--http", "--workers", "2", "--port", str(port))
        with started(*arguments, env=environment(base_url, tmp_path), ignore_stdin=True) as talk:
            until_healthy(f"http://127.0.0.1:{port}", talk)
            assert fetched(f"http://127.0.0.1:{port}/readyz")[0] == 200
            talk.process.terminate()
            talk.ends_within(30)


def test_a_wrong_setting_stops_the_app_with_one_line(tmp_path: Path):
    env = environment("http://127.0.0.1:1/api/v1", tmp_path, OR_MCP_HTTP_AUTH="maybe")
    done = ran("or_mcp.http_app:app", "--port", str(free_port()), env=env, python=("-m", "uvicorn"))
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == (
        "or-mcp: OR_MCP_HTTP_AUTH holds 'maybe', but accepts none, token or passthrough"
    )
    assert "Traceback" not in done.stderr
