"""Servers that are reached over HTTP, and callers who share ours."""

from __future__ import annotations

import gzip
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
import uvicorn
from mcp.server.mcpserver import Context, MCPServer

from tests.conftest import Connect, Upstream, text_of
from tests.servers.world import World, answers, asked, calls, outputs, sent

Send = Callable[[dict[str, Any]], Awaitable[None]]


async def _next(heard: list[Any], receive: Any) -> Any:
    return heard.pop() if heard else await receive()


def counter() -> tuple[MCPServer, list[str]]:
    """A server that tells what it was authorized with."""
    server, seen = MCPServer("counter"), list[str]()

    @server.tool()
    def whoami(ctx: Context[Any, Any]) -> str:  # pyright: ignore[reportUnusedFunction]
        """Who calls."""
        request: Any = ctx.request_context.request
        seen.append(request.headers.get("authorization", ""))
        return "known"

    return server, seen


@asynccontextmanager
async def served(server: MCPServer, instead: Callable[[Send], Awaitable[None]] | None = None) -> AsyncGenerator[str]:
    """The server over HTTP, and its address; calls of tools may be answered by something else instead."""
    plain: Any = server.streamable_http_app(json_response=True) if instead else server.streamable_http_app()

    async def app(scope: Any, receive: Any, send: Send) -> None:
        if instead is None or scope["type"] != "http":
            await plain(scope, receive, send)
            return
        first = await receive()
        if b'"tools/call"' in first.get("body", b""):
            await instead(send)
            return
        heard = [first]
        await plain(scope, lambda: _next(heard, receive), send)

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        running = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        async with anyio.create_task_group() as group:
            group.start_soon(running.serve, [listening])
            while not running.started:
                await anyio.sleep(0.01)
            yield f"http://127.0.0.1:{port}/mcp"
            running.should_exit = True


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_server_over_http_gets_the_headers_of_the_file(
    connect: Connect, upstream: Upstream, world: World, mode: str
):
    server, seen = counter()
    upstream.script(calls(("files__whoami", {})), answers("It is done."))
    async with served(server) as url:
        headers = {"Authorization": "Bearer ${MINE}"}
        file = world.name("files", type="http", url=url, headers=headers, allow=["*"])
        async with connect(mode, OR_MCP_SERVERS=file, MINE="my-token") as client:
            answer = await asked(client)
    assert answer["text"] == "It is done."
    assert "known" in outputs(sent(upstream)[1])[0]
    assert seen == ["Bearer my-token"]


@pytest.mark.parametrize("switch", ["off", "on"])
async def test_a_server_that_is_not_there_is_told(connect: Connect, world: World, switch: str):
    file = world.name("files", url="http://127.0.0.1:9/mcp")
    async with connect(OR_MCP_SERVERS=file, OR_MCP_SERVERS_FOR_CALLERS=switch) as client:
        failed = text_of(await client.call_tool("ask", {"servers": ["files"], "prompt": "?"}))
    assert failed.startswith("server_trouble: MCP server 'files' did not start: it cannot be reached")


@pytest.mark.parametrize(("switch", "starts"), [("off", 1), ("on", 2)])
async def test_where_callers_share_us_no_run_shares_a_server(
    connect: Connect, upstream: Upstream, world: World, switch: str, starts: int, caplog: pytest.LogCaptureFixture
):
    file = world.serve("files", {"read": {"does": "echo"}}, allow=["*"])
    async with connect(OR_MCP_SERVERS=file, OR_MCP_SERVERS_FOR_CALLERS=switch) as client:
        with caplog.at_level("INFO", "or_mcp.servers"):
            for n in range(2):
                upstream.script(calls(("files__read", {"text": f"{n}"})), answers("It is done."))
                await asked(client, prompt=f"Read {n}.")
    assert caplog.messages.count("files: plain server here") == starts


@pytest.mark.parametrize(("encoding", "why"), [("identity", "too large to read"), ("gzip", "a packed message")])
async def test_a_reply_without_an_end_costs_its_call_a_clear_error(
    connect: Connect, upstream: Upstream, world: World, encoding: str, why: str
):
    server, _ = counter()
    piece = b" " * 1_000_000 if encoding == "identity" else gzip.compress(b" " * 200_000_000)

    async def for_ever(send: Send) -> None:
        head = [(b"content-type", b"application/json"), (b"content-encoding", encoding.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        for _ in range(40):
            await send({"type": "http.response.body", "body": piece, "more_body": True})

    upstream.script(calls(("files__whoami", {})), answers("It is done."))
    async with served(server, for_ever) as url:
        file = world.name("files", type="http", url=url, allow=["*"])
        async with connect(OR_MCP_SERVERS=file) as client:
            answer = await asked(client)
    assert answer["text"] == "It is done."
    assert why in outputs(sent(upstream)[1])[0]
