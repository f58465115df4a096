"""What an operator sees and sets: limits, health, metrics, logs, and an end in good order."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.types import Message

from or_mcp.simulator import Simulator
from or_mcp.web import limits
from tests.conftest import text_of
from tests.serving.programs import environment, fetched, free_port, serving_http, started, until_healthy
from tests.serving.test_http_doors import ACCEPT, ASK, caller, greet

SECRET = "sk-or-never-to-be-seen"
PROMPT = "a question that nobody else should read"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Simulator, str]]:
    """A simulated upstream, and a program that asks for tokens and lets nobody ask much."""
    simulator = Simulator()
    settings = {
        "OPENROUTER_API_KEY": SECRET,
        "OR_MCP_HTTP_AUTH": "token",
        "OR_MCP_HTTP_TOKENS": "anns-token,bobs-token,operators-token",
        "OR_MCP_HTTP_REQUESTS_PER_MINUTE": "60",
    }
    with simulator.serve_in_thread() as base_url:
        env = environment(base_url, tmp_path_factory.mktemp("operating"), **settings)
        with serving_http(env) as root:
            yield simulator, root


async def test_a_caller_who_asks_too_much_is_told_when_to_come_again_and_others_are_served(
    world: tuple[Simulator, str],
):
    _, root = world
    bob = {"Authorization": "Bearer bobs-token"}
    answers = [greet(root, **bob)]
    while answers[-1][0] == 200 and len(answers) < 100:
        answers.append(greet(root, **bob))
    status, given, body = answers[-1]
    assert (status, len(answers) > 60) == (429, True)
    assert int(given["retry-after"]) >= 1
    assert json.loads(body)["error"] == "rate_limited"
    assert greet(root, Authorization="Bearer anns-token")[0] == 200


async def test_metrics_are_for_the_operator_and_hold_no_words_no_keys_no_callers(world: tuple[Simulator, str]):
    _, root = world
    async with caller(root, "anns-token") as client:
        await client.call_tool("ask", ASK | {"prompt": PROMPT})
        assert (await client.call_tool("ask", {"model": "nobody/nothing", "prompt": PROMPT})).is_error
    assert fetched(f"{root}/metrics")[0] == 401
    assert fetched(f"{root}/metrics", Authorization="Bearer wrong")[0] == 401
    assert fetched(f"{root}/metrics", Authorization="Bearer operators-token", Host="evil.example")[0] == 421
    status, given, body = fetched(f"{root}/metrics", Authorization="Bearer operators-token")
    told = body.decode()
    assert status == 200
    assert given["content-type"].startswith("text/plain; version=0.0.4")
    assert 'or_mcp_tool_calls_total{outcome="ok",tool="ask"} 1' in told
    assert 'or_mcp_tool_calls_total{outcome="model_unavailable",tool="ask"} 1' in told
    assert re.search(r'or_mcp_spend_usd_total\{tool="ask"\} 0\.0\d+', told)
    assert re.search(r'or_mcp_upstream_seconds_count\{path="/chat"\} \d', told)
    assert re.search(r'or_mcp_http_requests_total\{method="POST",path="/mcp",status="200"\} \d', told)
    assert "or_mcp_runs_live 0" in told
    assert "or_mcp_store_queue" in told
    for secret in (SECRET, PROMPT, "token", "run_", "gen-"):
        assert secret not in told.replace("or_mcp_run", "")
    for line in told.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) or_mcp_\w+ .+|or_mcp_\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+', line), line


def test_readiness_says_what_is_wrong_and_no_more(world: tuple[Simulator, str], tmp_path: Path):
    _, root = world
    status, _, body = fetched(f"{root}/readyz")
    assert (status, json.loads(body)) == (200, {"ready": True, "store": "ok", "upstream": "ok"})
    (tmp_path / "runs.sqlite3").mkdir()
    with serving_http(environment(f"http://127.0.0.1:{free_port()}/api/v1", tmp_path)) as broken:
        status, _, body = fetched(f"{broken}/readyz")
    assert (status, json.loads(body)) == (503, {"ready": False, "store": "unusable", "upstream": "unreachable"})


def test_a_request_that_is_too_large_is_refused_before_it_is_read(world: tuple[Simulator, str]):
    _, root = world
    host, port = root.removeprefix("http://").split(":")
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer anns-token\r\nAccept: {ACCEPT}\r\n"
        "Content-Type: application/json\r\nContent-Length: 5000000\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), 10) as client:
        client.sendall(head.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 413")


async def test_a_body_that_does_not_arrive_and_a_client_that_does_not_listen_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(limits, "_BODY_SECONDS", 0.05)
    monkeypatch.setattr(limits, "_LISTEN_SECONDS", 0.05)
    asked: list[Message] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def never() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def whole() -> Message:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    answers: list[Message] = []

    async def hear(message: Message) -> None:
        answers.append(message)

    async def deaf(message: Message) -> None:
        await anyio.sleep_forever()

    scope: dict[str, Any] = {"type": "http", "method": "POST", "headers": []}
    limited = limits.Throttle(app, 0)
    with anyio.fail_after(120):
        await limited(scope, never, hear)
        assert (answers[0]["status"], asked) == (408, [])
        await limited(scope, whole, deaf)
    assert len(asked) == 1


@pytest.mark.slow
def test_on_a_signal_new_work_is_refused_and_a_call_in_flight_is_told_running(tmp_path: Path):
    simulator = Simulator(faults=[{"path": "/responses", "stall_at_event": 10}])
    with simulator.serve_in_thread() as base_url:
        port = free_port()
        env = environment(base_url, tmp_path, OR_MCP_LOG_LEVEL="INFO")
        with started("serve", "--http", "--port", str(port), env=env, ignore_stdin=True) as talk:
            root = f"http://127.0.0.1:{port}"
            until_healthy(root, talk)
            told: list[Any] = []
            asking = threading.Thread(target=lambda: told.append(anyio.run(fuse, root)))
            asking.start()
            until = time.monotonic() + 40
            while not simulator.open_streams:
                assert time.monotonic() < until
                time.sleep(0.02)
            talk.process.terminate()
            while fetched(f"{root}/readyz")[0] == 200:
                assert time.monotonic() < until
            status, _, body = fetched(f"{root}/readyz")
            assert (status, json.loads(body)["process"]) == (503, "draining")
            refused = anyio.run(ask, root)
            asking.join(20)
            assert talk.ends_within(25) == 0
            lines = [json.loads(line) for line in talk.told().splitlines() if not line.startswith("or-mcp: MCP at")]
    assert text_of(refused).startswith("connection_failed: This process of or-mcp is ending and sends nothing more")
    assert "Spent: nothing" in text_of(refused)
    assert not simulator.posts("/chat/completions")
    (result,) = told
    assert result.structured_content["status"] == "running"
    assert "call run with run_id" in text_of(result)
    call = next(line for line in lines if line.get("tool") == "fuse")
    assert call["run_id"] == result.structured_content["run_id"]
    assert (call["path"], call["status"], call["outcome"]) == ("/mcp", 200, "running")
    assert PROMPT not in str(lines)


async def ask(root: str) -> Any:
    async with caller(root, "unused") as client:
        return await client.call_tool("ask", ASK)


async def fuse(root: str) -> Any:
    async with caller(root, "unused") as client:
        await client.list_tools()
        return await client.call_tool("fuse", {"prompt": PROMPT, "web": False})
