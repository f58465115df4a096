"""Whoever opens a session is answered before the server is there, and hears what the server would have said."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from or_mcp.settings import TOOL_NAMES, read_settings
from or_mcp.starting.front import Front
from tests.serving.greetings import CLIENT, VERSIONS, Json, opening, request, said
from tests.serving.programs import environment, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes cannot be waited for there")
EVERY = [version for versions in VERSIONS.values() for version in versions]
LEGACY, MODERN = VERSIONS["initialize"][-1], VERSIONS["server/discover"][-1]
RICH: Json = {
    "roots": {"listChanged": True},
    "sampling": {"tools": {}},
    "elicitation": {"form": {}, "url": {}},
    "experimental": {"anything": {"goes": [1, None]}},
}


def fronted(tools: Sequence[str], messages: Sequence[Any], **how: Any) -> tuple[list[Json], list[Any], set[str | int]]:
    """What a front answers, what it leaves for the server to hear, and which of that it has answered."""
    wire_in, host = os.pipe()
    hears, wire_out = os.pipe()
    stop, stops = os.pipe()
    lines = [message if isinstance(message, bytes) else json.dumps(message).encode() for message in messages]
    os.write(host, b"".join(line + b"\n" for line in lines))
    os.close(host)
    front = Front(tools, answers=True, wire_in=wire_in, wire_out=wire_out, **how)
    # It hears nothing more when the host has closed its side.
    assert not front.until(stop, 0.05)
    os.close(wire_out)
    answers = b""
    while select.select([hears], [], [], 0)[0] and (chunk := os.read(hears, 1 << 20)):
        answers += chunk
    for each in (wire_in, hears, stop, stops):
        os.close(each)
    begun = front.begun()
    heard = [line for line in begun.heard.split(b"\n") if line]
    return [json.loads(line) for line in answers.splitlines()], [lines.index(line) for line in heard], begun.answered


def by_the_sdk(tmp_path: Path, messages: Sequence[Any], **settings: str) -> list[Json]:
    return said(read_settings(environment("http://127.0.0.1:9", tmp_path, **settings)), messages)


@pytest.mark.parametrize("tools", [TOOL_NAMES, ("run",), ("fuse", "embed"), ("rerank", "account")], ids=",".join)
@pytest.mark.parametrize("version", EVERY)
def test_it_says_what_the_sdk_says(tmp_path: Path, version: str, tools: tuple[str, ...]):
    messages = [opening(version, CLIENT | {"title": "A host"}, RICH), request(1, "tools/list", version)]
    answers, heard, answered = fronted(tools, messages)
    assert answers == by_the_sdk(tmp_path, messages, OR_MCP_TOOLS=",".join(tools))
    assert [list(tool["inputSchema"]["properties"]) for tool in answers[1]["result"]["tools"]] == [
        list(tool["inputSchema"]["properties"])
        for tool in by_the_sdk(tmp_path, messages, OR_MCP_TOOLS=",".join(tools))[1]["result"]["tools"]
    ]
    assert (heard, answered) == ([0], {0})


@pytest.mark.parametrize("name", ["some-host", "cline"])
@pytest.mark.parametrize(("setting", "structured"), [("auto", None), ("on", True), ("off", False)])
@pytest.mark.parametrize("version", [LEGACY, MODERN])
def test_it_lists_with_or_without_structure_as_the_server_does(
    tmp_path: Path, version: str, setting: str, structured: bool | None, name: str
):
    client = {"name": name, "version": "1"}
    messages = [opening(version, client), request(1, "tools/list", version, client)]
    answers, _, _ = fronted(TOOL_NAMES, messages, structured=structured)
    assert answers == by_the_sdk(tmp_path, messages, OR_MCP_STRUCTURED=setting)


ODD: dict[str, Any] = {
    "an unknown version": opening("2099-01-01"),
    "no client": {**opening(LEGACY), "params": {"protocolVersion": LEGACY, "capabilities": {}}},
    "a client without a name": opening(LEGACY, {"version": "1"}),
    "a version that is a number": opening(LEGACY, {"name": "x", "version": 1}),
    "capabilities of another shape": opening(LEGACY, CLIENT, {"roots": {"listChanged": "yes"}}),
    "capabilities that nobody knows": opening(LEGACY, CLIENT, {"flying": {}}),
    "capabilities that are none": opening(LEGACY, CLIENT, {"sampling": None}),
    "a name with escapes": opening(LEGACY, {"name": "\\ud800", "version": "1"}),
    "an id that is none": {**opening(LEGACY), "id": None},
    "an id that is true": {**opening(LEGACY), "id": True},
    "an id that is a fraction": {**opening(LEGACY), "id": 1.5},
    "no id": {key: value for key, value in opening(LEGACY).items() if key != "id"},
    "another protocol": {**opening(LEGACY), "jsonrpc": "1.0"},
    "more than a request": {**opening(LEGACY), "result": {}},
    "a list first": request(9, "tools/list", LEGACY),
    "a ping first": request(1, "ping", LEGACY),
    "several at once": [opening(LEGACY)],
    "no number": b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"x":NaN}}',
    "no JSON": b"{",
    "no UTF-8": b'{"jsonrpc":"2.0","id":0,"method":"\xff"}',
    "deep nesting": b"[" * 4_000,
    "an envelope of another version": opening(MODERN) | {"params": request(0, "x", "2025-11-25").get("params", {})},
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_not_plain_is_the_servers_and_so_is_all_that_follows(odd: str):
    messages = [ODD[odd], opening(LEGACY), request(1, "tools/list", LEGACY)]
    assert fronted(TOOL_NAMES, messages) == ([], [0, 1, 2], set())


@pytest.mark.parametrize(
    ("version", "asked"),
    [
        (LEGACY, request(1, "tools/list", LEGACY, cursor="x")),
        (LEGACY, request(1, "tools/list", MODERN)),
        (LEGACY, {**request(1, "tools/list", LEGACY), "params": None}),
        (LEGACY, opening(LEGACY) | {"id": 1}),
        (LEGACY, request(1, "prompts/list", LEGACY)),
        (MODERN, request(1, "tools/list", LEGACY)),
        (MODERN, request(1, "tools/list", MODERN, cursor="x")),
        (MODERN, opening(LEGACY) | {"id": 1}),
    ],
)
def test_in_a_session_that_is_open_too(version: str, asked: Json):
    messages = [opening(version), asked, request(2, "tools/list", version)]
    answers, heard, answered = fronted(TOOL_NAMES, messages)
    assert ([answer["id"] for answer in answers], heard, answered) == ([0, 2], [0, 1], {0})


def test_a_front_that_may_not_answer_only_listens():
    wire_in, host = os.pipe()
    stop, stops = os.pipe()
    os.write(host, json.dumps(opening(LEGACY)).encode() + b"\nthe rest")
    front = Front(TOOL_NAMES, answers=False, wire_in=wire_in, wire_out=stops)
    assert not front.until(stop, 0.2)
    assert (front.begun().heard[-9:], front.begun().answered) == (b"\nthe rest", set())
    for each in (wire_in, host, stop, stops):
        os.close(each)


def test_it_leaves_in_the_pipe_what_is_too_much_for_it():
    wire_in, host = os.pipe()
    stop, stops = os.pipe()
    front = Front(TOOL_NAMES, answers=True, wire_in=wire_in, wire_out=stops)
    while len(front.begun().heard) < 262_144:
        os.write(host, b"x" * 60_000)
        assert not front.until(stop, 0)
    os.write(host, b"y")
    assert not front.until(stop, 0)
    assert not front.begun().heard.endswith(b"y")
    for each in (wire_in, host, stop, stops):
        os.close(each)


@pytest.mark.parametrize("version", [LEGACY, MODERN])
def test_a_session_goes_on_where_the_front_left_it(tmp_path: Path, version: str):
    with started(env=environment("http://127.0.0.1:9", tmp_path)) as host:
        host.send(*(json.dumps(each).encode() for each in [opening(version), request(1, "tools/list", version)]))
        first, second = json.loads(host.line()), json.loads(host.line())
        host.send(json.dumps(request(2, "tools/call", version, name="run", arguments={})).encode())
        third = json.loads(host.line())
        host.send(json.dumps(request(3, "tools/list", version)).encode())
        fourth = json.loads(host.line())
    assert [each["id"] for each in (first, second, third, fourth)] == [0, 1, 2, 3]
    assert third["result"]["structuredContent"]["runs"] == []
    assert fourth["result"] == second["result"]


NEVER_IMPORTED = """
import sys, threading
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("mcp", "mcp_types", "pydantic", "anyio"):
            threading.Event().wait()
sys.meta_path.insert(0, Finder())
sys.argv = ["or-mcp"]
from or_mcp.__main__ import main
main()
"""


def test_it_answers_while_what_is_heavy_is_still_being_imported(tmp_path: Path):
    with started(env=environment("http://127.0.0.1:9", tmp_path), python=("-c", NEVER_IMPORTED)) as host:
        assert host.greet()["serverInfo"]["name"] == "openrouter"
        host.send(json.dumps(request(7, "prompts/list", LEGACY)).encode())
        assert [tool["name"] for tool in host.ask("tools/list")["result"]["tools"]] == list(TOOL_NAMES)


@pytest.mark.parametrize(
    "settings", [{"OR_MCP_DAILY_BUDGET_USD": "1"}, {"OR_MCP_CALLER_DAILY_BUDGET_USD": "1"}], ids=str
)
def test_nobody_is_greeted_whose_start_may_still_be_refused(tmp_path: Path, settings: dict[str, str]):
    (tmp_path / "data").write_text("no directory")
    env = environment("http://127.0.0.1:9", tmp_path / "data", HOME=str(tmp_path), **settings)
    with started(env=env) as host:
        host.send(json.dumps(opening(LEGACY)).encode())
        assert host.ends_within(40) == 2
        assert host.process.stdout is not None
        assert host.process.stdout.read() == b""
