"""Messages that cannot be read, and answers that could not be written: each is answered, and nothing ends for it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import tty
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from or_mcp.simulator import Simulator
from tests.serving.programs import LEGACY, PATIENCE, Talk, environment, fetched, serving_http, started

HALF = "\\ud800"
MODEL = '"model":"openai/gpt-5-mini"'
# Arguments as they stand on the wire: lists and objects as JSON in a string, with half a character inside.
BROKEN = {
    "tool_outputs": ("ask", '{%s,"prompt":"p","tool_outputs":"[{\\"call_id\\":\\"\\%s\\",\\"output\\":\\"y\\"}]"}'),
    "fallback_models": ("ask", '{%s,"fallback_models":"[\\"a/\\%s\\"]","prompt":"p"}'),
    "json_schema": ("ask", '{%s,"prompt":"p","json_schema":"{\\"type\\":\\"\\%s\\"}"}'),
    "a name in json_schema": ("ask", '{%s,"prompt":"p","json_schema":"{\\"\\%s\\":1}"}'),
    "attachments": ("ask", '{%s,"prompt":"p","attachments":"[\\"\\%s.txt\\"]"}'),
    "tools": ("ask", '{%s,"prompt":"p","tools":"[{\\"name\\":\\"\\%s\\",\\"parameters\\":{}}]"}'),
    "analysis_models": ("fuse", '{"analysis_models":"[\\"a/\\%s\\"]","prompt":"p"}'),
    "input": ("embed", '{"model":"openai/text-embedding-3-small","output":"vectors","input":"[\\"\\%s\\"]"}'),
    "supports": ("list_models", '{"supports":"[\\"\\%s\\"]"}'),
    "documents": ("rerank", '{"model":"cohere/rerank-v3.5","query":"q","documents":"[\\"\\%s\\"]"}'),
}
DEEP = "[" * 2000 + "]" * 2000
# A line, and the id in its answer.
UNREADABLE: list[tuple[bytes, Any]] = [
    (b"this is no JSON", None),
    (b'{"jsonrpc":"2.0","id":71,"method":"tools/list"', None),
    (b'{"jsonrpc":"2.0","id":72,"method":"ping","params":{"x":"\\ud800"}}', 72),
    (b'{"jsonrpc":"2.0","id":"b\\u00e9","method":"ping","params":5}', "b\u00e9"),
    (b'{"jsonrpc":"2.0","id":73,"method":"ping","params":{"x":"\xff\xfe"}}', 73),
    (b'{"jsonrpc":"1.0","id":74,"method":"ping"}', 74),
    (b'{"jsonrpc":"2.0","id":null,"method":"tools/list"}', None),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}', None),
    (b'{"jsonrpc":"2.0","id":true,"method":"tools/list"}', None),
    (b'{"jsonrpc":"2.0","id":75}', 75),
    (b'{"jsonrpc":"2.0","id":76,"result":"not an object"}', None),
    (b'[{"jsonrpc":"2.0","id":77,"method":"ping"}]', None),
    (b"null", None),
    (b'{"jsonrpc":"2.0","id":"%s","method":"ping"}' % (b"x" * 5000), None),
    (b'{"jsonrpc":"2.0","id":78,"method":"%s"}' % (b"x" * 5000), 78),
    (f'{{"jsonrpc":"2.0","id":79,"method":"ping","params":{{"x":{DEEP}}}}}'.encode(), None),
]


@pytest.fixture(scope="module")
def upstream() -> Generator[tuple[Simulator, str]]:
    """A simulated upstream and its address."""
    simulator = Simulator()
    with simulator.serve_in_thread() as base_url:
        yield simulator, base_url


@pytest.fixture(scope="module")
def talk(upstream: tuple[Simulator, str], tmp_path_factory: pytest.TempPathFactory) -> Generator[Talk]:
    """One program on stdio, for every message here."""
    with started(env=environment(upstream[1], tmp_path_factory.mktemp("talk"))) as process:
        process.greet()
        yield process


def still_answers(talk: Talk) -> None:
    assert "result" in talk.ask("ping")
    assert "Traceback" not in talk.told()


def broken(name: str) -> tuple[str, str]:
    tool, arguments = BROKEN[name]
    return tool, arguments % ((MODEL, HALF) if arguments.count("%s") == 2 else (HALF,))


@pytest.mark.parametrize("name", BROKEN)
def test_half_a_character_in_a_list_or_object_is_the_callers_mistake(talk: Talk, name: str):
    tool, arguments = broken(name)
    told = talk.ask("tools/call", {"name": tool, "arguments": json.loads(arguments)})["result"]
    assert told["isError"]
    assert told["content"][0]["text"].startswith("invalid_request: ")
    assert "half of a surrogate pair" in told["content"][0]["text"]
    still_answers(talk)


@pytest.mark.parametrize(("line", "answered"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_line_that_is_no_message_is_answered_with_an_error(talk: Talk, line: bytes, answered: Any):
    talk.send(line)
    reply = json.loads(talk.line())
    assert reply["id"] == answered
    assert reply["error"]["code"] in (-32700, -32600)
    assert len(json.dumps(reply)) < 1000
    still_answers(talk)


HELLO = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


def script(*more: bytes) -> bytes:
    """What a host writes: a session, and more lines."""
    greeting = {"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": HELLO}
    opened = b'{"jsonrpc": "2.0", "method": "notifications/initialized"}'
    return b"".join(line + b"\n" for line in (json.dumps(greeting).encode(), opened, *more))


@pytest.mark.parametrize("out", ["a file", "a pipe"])
def test_lines_that_stand_in_a_file_are_answered_as_well(upstream: tuple[Simulator, str], tmp_path: Path, out: str):
    given, answers, data = tmp_path / "given", tmp_path / "answers", tmp_path / "data"
    given.write_bytes(script(*(line for line, _ in UNREADABLE), b'{"jsonrpc": "2.0", "id": "last", "method": "ping"}'))
    command = f"{sys.executable} -m or_mcp < {given} {'>' if out == 'a file' else '| cat >'} {answers}"
    subprocess.run(command, shell=True, env=environment(upstream[1], data), check=True, timeout=PATIENCE)
    told = [json.loads(line) for line in answers.read_bytes().splitlines()]
    errors = [each["id"] for each in told if each.get("error", {}).get("code") in (-32700, -32600)]
    assert errors == [answered for _, answered in UNREADABLE]
    assert {each["id"] for each in told if "result" in each} == {"hello", "last"}


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such terminals")
def test_a_terminal_is_answered_and_a_signal_ends_the_program_that_reads_it(
    upstream: tuple[Simulator, str], tmp_path: Path
):
    here, there = os.openpty()
    tty.setraw(there)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "or_mcp"],
            env=environment(upstream[1], tmp_path),
            stdin=there,
            stdout=there,
            stderr=errors,
        )
        try:
            os.write(here, script(b"no JSON"))
            heard = b""
            while heard.count(b"\n") < 2:
                assert select.select([here], [], [], PATIENCE)[0]
                heard += os.read(here, 65536)
            told = {json.loads(line)["id"] for line in heard.splitlines()}
            assert told == {"hello", None}
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()
            os.close(here)
            os.close(there)


@pytest.mark.parametrize("argument", ["supports", "query"])
def test_nesting_without_end_in_a_string_is_refused(talk: Talk, argument: str):
    for value in (DEEP, "[" * 90 + "]" * 90, '{"a":' * 5000):
        told = talk.ask("tools/call", {"name": "list_models", "arguments": {argument: value}})["result"]
        assert told["content"][0]["text"].partition(":")[0] in ("invalid_request", "No model matches. Closest")
        assert "internal" not in told["content"][0]["text"]
    still_answers(talk)


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_over_http_it_is_refused_too(upstream: tuple[Simulator, str], tmp_path: Path, version: str):
    with serving_http(environment(upstream[1], tmp_path)) as root:
        named = {"MCP_Protocol_Version": version, "Mcp_Method": "tools/call", "Mcp_Name": "list_models"}
        headers = {"Content_Type": "application/json", "Accept": "application/json, text/event-stream", **named}
        meta: dict[str, Any] = {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        deep: Any = []
        for _ in range(400):
            deep = [deep]
        for query in ("\ud800", ["\udfff"], deep, '["\\ud800"]'):
            name = "supports" if isinstance(query, str) and query.startswith("[") else "query"
            params = {"name": "list_models", "arguments": {name: query}, "_meta": meta}
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
            status, _, body = fetched(f"{root}/mcp", method="POST", body=message, **headers)
            assert status in (200, 400), body
            assert b"error" in body or b'"isError":true' in body
            assert b"internal" not in body.lower()
        assert fetched(f"{root}/healthz")[0] == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", "/no/such/file.pem"),
        ("SSL_CERT_FILE", __file__),
        ("ALL_PROXY", "socks9://127.0.0.1:1"),
        ("https_proxy", "http://127.0.0.1:port"),
        ("HTTP_PROXY", "http://"),
        ("OR_MCP_MAX_COST_PER_CALL_USD", "1e999999"),
        ("OR_MCP_DAILY_BUDGET_USD", "100001"),
    ],
)
@pytest.mark.parametrize("command", [(), ("serve", "--http", "--port", "0"), ("ask", "openai/gpt-5-mini", "Hi?")])
def test_surroundings_that_cannot_work_stop_the_start_with_one_line(
    upstream: tuple[Simulator, str], tmp_path: Path, name: str, value: str, command: tuple[str, ...]
):
    env = environment(upstream[1], tmp_path) | {name: value}
    with started(*command, env=env) as talk:
        assert talk.ends_within(20) == 2
        [line] = talk.told().strip().splitlines()
    assert line.startswith(f"or-mcp: {name} holds ")


def test_a_closed_terminal_lets_runs_finish(upstream: tuple[Simulator, str], tmp_path: Path):
    upstream[0].script({"path": "/chat/completions", "contains": "before the terminal closes", "latency_ms": 1500})
    env = environment(upstream[1], tmp_path)
    question = {"model": "openai/gpt-5-mini", "prompt": "Is this asked before the terminal closes?", "wait_seconds": 0}
    with started(env=env) as talk:
        talk.greet()
        run_id = talk.ask("tools/call", {"name": "ask", "arguments": question})["result"]["structuredContent"]["run_id"]
        talk.process.send_signal(signal.SIGHUP)
        assert talk.ends_within(30) == 0
    with started(env=env) as talk:
        talk.greet()
        told = talk.ask("tools/call", {"name": "run", "arguments": {"run_id": run_id}})["result"]
    assert told["structuredContent"]["status"] == "completed"
