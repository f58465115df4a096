"""Who may come in over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import mcp_types
import pytest
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client

from or_mcp.simulator import Simulator
from or_mcp.simulator.money.accounts import fingerprint_of
from tests.conftest import text_of
from tests.serving.programs import LEGACY, environment, fetched, free_port, serving_http, started

ASK = {"model": "openai/gpt-5-mini", "prompt": "Hello?"}
GREETING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
ACCEPT = "application/json, text/event-stream"


@pytest.fixture(scope="module")
def simulator() -> Generator[tuple[Simulator, str]]:
    """A simulated upstream and its address."""
    upstream = Simulator()
    with upstream.serve_in_thread() as base_url:
        yield upstream, base_url


@pytest.fixture(scope="module")
def open_door(simulator: tuple[Simulator, str], tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The program on loopback, asking nobody."""
    env = environment(
        simulator[1],
        tmp_path_factory.mktemp("open"),
        OR_MCP_HTTP_ALLOWED_HOSTS="mcp.example.com",
        OR_MCP_HTTP_ALLOWED_ORIGINS="https://app.example.com",
    )
    with serving_http(env) as root:
        yield root


@pytest.fixture(scope="module")
def token_door(simulator: tuple[Simulator, str], tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The program that takes two tokens."""
    settings = {"OR_MCP_HTTP_AUTH": "token", "OR_MCP_HTTP_TOKENS": "first-token, second-token"}
    with serving_http(environment(simulator[1], tmp_path_factory.mktemp("token"), **settings)) as root:
        yield root


@pytest.fixture(scope="module")
def key_door(simulator: tuple[Simulator, str], tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The program where every caller brings a key."""
    settings = {"OR_MCP_HTTP_AUTH": "passthrough", "OPENROUTER_API_KEY": "sk-or-the-servers-own"}
    with serving_http(environment(simulator[1], tmp_path_factory.mktemp("key"), **settings)) as root:
        yield root


def greet(root: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    status, given, body = fetched(
        f"{root}/mcp", method="POST", body=GREETING, Content_Type="application/json", Accept=ACCEPT, **headers
    )
    return status, {name.lower(): value for name, value in given.items()}, body


@asynccontextmanager
async def caller(root: str, bearer: str, mode: str = "auto", scheme: str = "Bearer") -> AsyncGenerator[Client]:
    headers = {"Authorization": f"{scheme} {bearer}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=120) as http,
        Client(streamable_http_client(f"{root}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


def test_healthz_answers_anybody(open_door: str, token_door: str, key_door: str):
    for root in (open_door, token_door, key_door):
        assert fetched(f"{root}/healthz")[0] == 200


def test_whoever_comes_from_this_machine_is_let_in(open_door: str):
    port = open_door.rpartition(":")[2]
    for headers in (
        {},
        {"Host": f"localhost:{port}"},
        {"Origin": f"http://127.0.0.1:{port}"},
        {"Origin": "http://localhost"},
    ):
        status, _, body = greet(open_door, **headers)
        assert status == 200, headers
        assert b'"openrouter"' in body


def test_whom_the_operator_allows_is_let_in(open_door: str):
    assert greet(open_door, Host="mcp.example.com")[0] == 200
    assert greet(open_door, Origin="https://app.example.com")[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[::2]"])
def test_another_host_is_turned_away(open_door: str, host: str):
    assert greet(open_door, Host=host)[0] in (403, 421)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "https://app.example.com.evil"]
)
def test_another_origin_is_turned_away(open_door: str, origin: str):
    assert greet(open_door, Origin=origin)[0] == 403


def test_what_is_no_request_is_refused_and_the_server_lives(open_door: str):
    url = f"{open_door}/mcp"
    assert fetched(url, method="POST", body=GREETING, Content_Type="text/plain", Accept=ACCEPT)[0] in (400, 415)
    assert fetched(url, method="POST", body=[1, 2], Content_Type="application/json", Accept=ACCEPT)[0] == 400
    assert fetched(url, method="PUT", body={}, Content_Type="application/json")[0] == 405
    assert fetched(f"{open_door}/nowhere")[0] == 404
    huge = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"x": "y" * 5_000_000}}
    assert fetched(url, method="POST", body=huge, Content_Type="application/json", Accept=ACCEPT)[0] in (0, 413)
    assert greet(open_door)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic Zmlyc3Q="},
        {"Authorization": "Bearer first-toke"},
    ],
)
def test_without_a_token_nobody_comes_in_and_the_way_is_told(token_door: str, headers: dict[str, str]):
    status, given, body = greet(token_door, **headers)
    assert status == 401
    assert given["www-authenticate"].startswith("Bearer")
    assert b"openrouter" not in body
    address = given["www-authenticate"].partition('resource_metadata="')[2].rstrip('"')
    assert address == f"{token_door}/.well-known/oauth-protected-resource/mcp"
    status, _, body = fetched(address)
    told = json.loads(body)
    assert status == 200
    assert told["resource"] == f"{token_door}/mcp"
    assert told["bearer_methods_supported"] == ["header"]
    assert "authorization_servers" not in told


def test_a_client_that_would_sign_in_is_told_that_its_bearer_was_refused(token_door: str, open_door: str):
    status, _, body = fetched(f"{token_door}/register", method="POST", body={"client_name": "any"})
    told = json.loads(body)
    assert (status, told["error"]) == (400, "access_denied")
    assert "there is no sign-in here: send one of this server's tokens" in told["error_description"]
    assert fetched(f"{open_door}/register", method="POST", body={})[0] == 404


@pytest.mark.parametrize("bearer", ["first-token", "second-token"])
async def test_with_a_token_the_servers_key_pays(token_door: str, simulator: tuple[Simulator, str], bearer: str):
    async with caller(token_door, bearer) as client:
        result = await client.call_tool("ask", ASK | {"prompt": f"{bearer}?"})
        assert not result.is_error
        listed = (await client.call_tool("run", {})).structured_content["runs"]
    assert listed[0]["prompt"] == f"{bearer}?"
    assert bearer not in str([request.headers for request in simulator[0].requests])


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer first-token"}, {"Authorization": "Bearer "}])
def test_where_everyone_brings_a_key_nobody_comes_in_without(key_door: str, headers: dict[str, str]):
    status, given, _ = greet(key_door, **headers)
    assert status == 401
    assert given["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_callers_with_their_own_keys_do_not_see_each_other(
    key_door: str, simulator: tuple[Simulator, str], mode: str
):
    keys = [f"sk-or-ann-{mode}", f"sk-or-bob-{mode}"]
    runs: list[dict[str, Any]] = []
    for key in keys:
        async with caller(key_door, key, mode) as client:
            runs.append((await client.call_tool("ask", ASK)).structured_content)
            listed = (await client.call_tool("run", {})).structured_content["runs"]
            assert [row["run_id"] for row in listed] == [runs[-1]["run_id"]]
            account = (await client.call_tool("account", {})).structured_content
            assert account["today"]["total_usd"] == pytest.approx(runs[-1]["cost_usd"])
    async with caller(key_door, keys[1], mode) as client:
        hidden = await client.call_tool("run", {"run_id": runs[0]["run_id"]})
        stolen = await client.call_tool("ask", ASK | {"continue_run": runs[0]["run_id"]})
    assert text_of(hidden).startswith("not_found:")
    assert text_of(stolen).startswith("not_found:")
    assert runs[0]["replayed"] is runs[1]["replayed"] is False
    paid = {request.key_fingerprint for request in simulator[0].posts()}
    assert len(paid) >= 2


def test_a_session_serves_only_the_bearer_that_began_it(token_door: str):
    ann, bob = ({"Authorization": f"Bearer {token}"} for token in ("first-token", "second-token"))
    session = greet(token_door, **ann)[1]["mcp-session-id"]

    def listed(**headers: str) -> int:
        body: dict[str, Any] = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}
        known = {"Content_Type": "application/json", "Accept": ACCEPT, "Mcp_Session_Id": session}
        return fetched(f"{token_door}/mcp", method="POST", body=body, **known, **headers)[0]

    assert listed(**ann) == 200
    assert listed(**bob) == 404
    assert fetched(f"{token_door}/mcp", method="DELETE", Mcp_Session_Id=session, **bob)[0] == 404
    assert fetched(f"{token_door}/mcp", method="DELETE", Mcp_Session_Id=session, **ann)[0] == 200
    assert listed(**ann) == 404


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_the_callers_key_pays_and_never_the_servers_own(
    key_door: str, simulator: tuple[Simulator, str], scheme: str
):
    before = len(simulator[0].posts())
    async with caller(key_door, "sk-or-carol", scheme=scheme) as client:
        await client.call_tool("ask", ASK | {"prompt": f"Who pays a {scheme}?"})
    (post,) = simulator[0].posts()[before:]
    assert post.key_fingerprint == fingerprint_of("sk-or-carol")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_directories_that_a_host_opens_over_http_are_not_opened_here(
    open_door: str, simulator: tuple[Simulator, str], tmp_path: Path, mode: str
):
    (tmp_path / "notes.txt").write_text("Whose is this?")

    async def roots(context: ClientRequestContext) -> mcp_types.ListRootsResult:
        raise AssertionError(context)

    before = len(simulator[0].posts())
    async with Client(f"{open_door}/mcp", mode=mode, list_roots_callback=roots) as client:
        result = await client.call_tool("ask", ASK | {"attachments": [str(tmp_path / "notes.txt")]})
    assert "no directory may be read" in text_of(result)
    assert len(simulator[0].posts()) == before


def test_a_port_that_is_taken_is_said(simulator: tuple[Simulator, str], open_door: str, tmp_path: Path):
    port = open_door.rpartition(":")[2]
    with started("serve", "--http", "--port", port, env=environment(simulator[1], tmp_path), ignore_stdin=True) as talk:
        assert talk.ends_within(30) == 1
        assert "Traceback" not in talk.told()
        assert port in talk.told()


def test_a_signal_ends_an_idle_server_within_two_seconds(simulator: tuple[Simulator, str], tmp_path: Path):
    port = free_port()
    env = environment(simulator[1], tmp_path)
    with started("serve", "--http", "--port", str(port), env=env, ignore_stdin=True) as talk:
        import time

        until = time.monotonic() + 40
        while fetched(f"http://127.0.0.1:{port}/healthz")[0] != 200:
            assert time.monotonic() < until
            time.sleep(0.05)
        talk.process.terminate()
        talk.ends_within(30)
        assert "Traceback" not in talk.told()
