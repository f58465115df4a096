"""The server on stdio, in a process of its own."""

from __future__ import annotations

import json
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from or_mcp.offered import TOOL_NAMES
from or_mcp.simulator import Simulator
from tests.serving.programs import LEGACY, Talk, environment, started

NOISY = """
import os, sys
import or_mcp.tools.list_models as module
quiet = module.freshness
def noisy(snapshot):
    print("a print of somebody's")
    sys.stdout.flush()
    os.write(1, b"raw bytes\\n")
    os.system("echo the words of a child")
    return quiet(snapshot)
module.freshness = noisy
from or_mcp.cli import main
sys.exit(main([]))
"""


@pytest.fixture(scope="module")
def upstream() -> Generator[str]:
    """The address of a simulated upstream that all tests here share."""
    with Simulator().serve_in_thread() as base_url:
        yield base_url


@pytest.fixture
def env(upstream: str, tmp_path: Path) -> dict[str, str]:
    """The variables of a program."""
    return environment(upstream, tmp_path)


def is_protocol(line: bytes) -> bool:
    message: Any = json.loads(line)
    return message["jsonrpc"] == "2.0" and ("id" in message or "method" in message)


def test_stdout_carries_the_protocol_and_nothing_else_whatever_is_printed(env: dict[str, str]):
    with started(env=env | {"OR_MCP_LOG_LEVEL": "DEBUG"}, python=("-c", NOISY)) as talk:
        talk.greet()
        found = talk.ask("tools/call", {"name": "list_models", "arguments": {"query": "opus"}})
        asked = talk.ask("tools/call", {"name": "ask", "arguments": {"model": "openai/gpt-5-mini", "prompt": "Hi?"}})
        assert found["result"]["structuredContent"]["models"]
        assert asked["result"]["structuredContent"]["finish_reason"] == "stop"
        assert all(is_protocol(line) for line in talk.lines)
        told = talk.told()
    assert "a print of somebody's" in told
    assert "raw bytes" in told
    assert "the words of a child" in told
    assert "DEBUG" in told
    assert "sk-or-test" not in told


@pytest.mark.parametrize("key", ["", "${OPENROUTER_API_KEY}"])
def test_without_a_key_it_starts_lists_its_tools_and_serves_the_catalogue(env: dict[str, str], key: str):
    with started(env=env | {"OPENROUTER_API_KEY": key}) as talk:
        greeting = talk.greet()
        tools = talk.ask("tools/list")["result"]["tools"]
        asked = talk.ask("tools/call", {"name": "ask", "arguments": {"prompt": "Hi?"}})["result"]
    assert greeting["serverInfo"]["name"] == "openrouter"
    assert greeting["protocolVersion"] == LEGACY
    assert len(tools) == len(TOOL_NAMES)
    assert asked["isError"]
    assert asked["content"][0]["text"].startswith("not_authorized: No OpenRouter key is set")


def test_upstream_is_not_needed_to_start_and_to_list_tools(env: dict[str, str]):
    with started(env=env | {"OPENROUTER_BASE_URL": "http://127.0.0.1:9/api/v1"}) as talk:
        talk.greet()
        assert len(talk.ask("tools/list")["result"]["tools"]) == len(TOOL_NAMES)
        failed = talk.ask("tools/call", {"name": "list_models", "arguments": {}})["result"]
    assert failed["content"][0]["text"].startswith("connection_failed:")


GARBAGE = [
    b"",
    b"   ",
    b"no JSON at all",
    b"{",
    b"[]",
    b"null",
    b'"words"',
    b"\xff\xfe\x00",
    b'{"jsonrpc": "1.0", "id": 7, "method": "tools/list"}',
    b'{"jsonrpc": "2.0", "id": {}, "method": "tools/list"}',
    b'{"jsonrpc": "2.0", "method": 7}',
    b'{"jsonrpc": "2.0", "id": 900}',
    b'{"jsonrpc": "2.0", "id": 901, "result": {}}',
    b'{"jsonrpc": "2.0", "id": 902, "method": "no/such/method"}',
    b'{"jsonrpc": "2.0", "id": 903, "method": "tools/call", "params": {"name": 7}}',
    b'{"jsonrpc": "2.0", "id": 904, "method": "tools/call", "params": []}',
    b'{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 905}}',
    b'{"jsonrpc": "2.0", "method": "notifications/nothing", "params": {"x": "' + b"y" * 500_000 + b'"}}',
    b"[" * 50_000,
]


def test_garbage_is_answered_or_ignored_and_the_session_goes_on(env: dict[str, str]):
    with started(env=env) as talk:
        talk.greet()
        for line in GARBAGE:
            talk.send(line)
            assert len(talk.ask("tools/list")["result"]["tools"]) == len(TOOL_NAMES), line[:80]
        assert all(is_protocol(line) for line in talk.lines)
        told = [json.loads(line) for line in talk.lines]
    assert {reply["id"] for reply in told if "error" in reply} >= {902, 903}


def test_garbage_before_the_session_is_opened_does_not_kill(env: dict[str, str]):
    with started(env=env) as talk:
        talk.send(*GARBAGE)
        assert talk.greet()["serverInfo"]["name"] == "openrouter"


def test_a_message_in_pieces_and_several_at_once_are_the_same(env: dict[str, str]):
    with started(env=env) as talk:
        talk.greet()
        assert talk.process.stdin is not None
        for byte in b'{"jsonrpc": "2.0", "id": 500, "method": "ping"}\r\n':
            talk.process.stdin.write(bytes([byte]))
            talk.process.stdin.flush()
        assert json.loads(talk.line())["id"] == 500
        talk.send(*(json.dumps({"jsonrpc": "2.0", "id": 600 + n, "method": "ping"}).encode() for n in range(50)))
        assert {json.loads(talk.line())["id"] for _ in range(50)} == set(range(600, 650))


def ready(talk: Talk) -> None:
    talk.greet()
    assert talk.ask("ping")["result"] == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_server_within_two_seconds(env: dict[str, str], number: signal.Signals):
    with started(env=env) as talk:
        ready(talk)
        talk.process.send_signal(number)
        assert talk.ends_within(30) == 0
        assert "Traceback" not in talk.told()


def test_a_host_that_leaves_ends_an_idle_server_within_two_seconds(env: dict[str, str]):
    with started(env=env) as talk:
        ready(talk)
        assert talk.process.stdin is not None
        talk.process.stdin.close()
        assert talk.ends_within(30) == 0
        assert "Traceback" not in talk.told()


def test_a_host_that_leaves_before_it_said_anything_ends_it_too(env: dict[str, str]):
    with started(env=env) as talk:
        assert talk.process.stdin is not None
        talk.process.stdin.close()
        assert talk.ends_within(30) == 0
        assert "Traceback" not in talk.told()


def test_only_the_chosen_tools_are_offered(env: dict[str, str]):
    with started(env=env | {"OR_MCP_TOOLS": "run,ask"}) as talk:
        talk.greet()
        assert [tool["name"] for tool in talk.ask("tools/list")["result"]["tools"]] == ["ask", "run"]
        refused = talk.ask("tools/call", {"name": "fuse", "arguments": {"prompt": "q"}})
    assert "There is no tool 'fuse'" in json.dumps(refused)


@pytest.mark.parametrize("token", [0, 7, "a word"])
def test_any_progress_token_is_answered_with_progress(env: dict[str, str], token: Any):
    question = {"model": "openai/gpt-5-mini", "prompt": f"Progress for {token}?"}
    with started(env=env) as talk:
        talk.greet()
        talk.ask("tools/call", {"name": "ask", "arguments": question, "_meta": {"progressToken": token}})
        told = [json.loads(line) for line in talk.lines]
    heard = [each["params"]["progressToken"] for each in told if each.get("method") == "notifications/progress"]
    assert heard
    assert set(heard) == {token}
