"""Servers that are reached over HTTP, and callers who share ours."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
import uvicorn
from mcp.server.mcpserver import Context, MCPServer

from tests.conftest import Connect, Upstream, text_of
from tests.servers.older import NOTICE, Message, Reply, older, said
from tests.servers.world import World, answers, asked, calls, outputs, sent

EVENTS = "text/event-stream"
ALL: dict[str, Any] = {"allow": ["*"]}


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
async def served(app: Any) -> AsyncGenerator[str]:
    """A server over HTTP, and its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        running = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="auto"))
        async with anyio.create_task_group() as group:
            group.start_soon(running.serve, [listening])
            while not running.started:
                await anyio.sleep(0.01)
            yield f"http://127.0.0.1:{port}/mcp"
            running.should_exit = True
            # Some are still sending.
            running.force_exit = True


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_server_over_http_gets_the_headers_of_the_file(
    connect: Connect, upstream: Upstream, world: World, mode: str
):
    server, seen = counter()
    upstream.script(calls(("files__whoami", {})), answers("It is done."))
    async with served(server.streamable_http_app()) as url:
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


async def endless(reply: Reply, request: Message) -> None:
    del request
    await reply.begin()
    for _ in range(40):
        await reply.more(b" " * 1_000_000)


async def packed(reply: Reply, request: Message) -> None:
    del request
    await reply.begin(content_encoding="gzip")
    await reply.more(gzip.compress(b" " * 200_000_000))


async def of_many_parts(reply: Reply, request: Message) -> None:
    await reply.begin()
    await reply.more(json.dumps(said(request))[:-2].encode() + b', "more": [' + b"[]," * 5_000_000 + b"0]}}")


async def flooding(reply: Reply, request: Message) -> None:
    del request
    await reply.begin(kind=EVENTS)
    for _ in range(300):
        await reply.more(NOTICE * 100)


async def with_nothing_in_it(reply: Reply, request: Message) -> None:
    del request
    await reply.begin(kind=EVENTS)
    for _ in range(300):
        await reply.more(b": still here\r\r" * 100)


async def refusing(reply: Reply, request: Message) -> None:
    del request
    await reply.whole(status=403)


async def broken(reply: Reply, request: Message) -> None:
    del request
    await reply.whole(status=502)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (endless, "it sent a message that is too large to read"),
        (of_many_parts, "it sent a message that is too large to read"),
        (packed, "it sent a packed message, which nobody asked for"),
        (refusing, "it answers 403: it wants other headers than the file has"),
        (broken, "it answers 502"),
    ],
)
async def test_trouble_with_a_reply_costs_that_call_alone_a_clear_error(
    connect: Connect, upstream: Upstream, world: World, call: Any, told: str
):
    upstream.script(calls(("files__odd", {}), ("files__good", {})), calls(("files__good", {})), answers("It is done."))
    async with served(older(call)) as url, connect(OR_MCP_SERVERS=world.name("files", url=url, **ALL)) as client:
        answer = await asked(client)
    assert answer["text"] == "It is done."
    odd, beside, after = outputs(sent(upstream)[2])
    assert odd == f"MCP server 'files' gave no result of odd: {told}"
    assert "all is well" in beside
    assert "all is well" in after


@pytest.mark.parametrize("call", [flooding, with_nothing_in_it])
async def test_a_flood_ends_its_session(connect: Connect, upstream: Upstream, world: World, call: Any):
    upstream.script(calls(("files__odd", {})), calls(("files__good", {})), answers("It is done."))
    async with served(older(call)) as url, connect(OR_MCP_SERVERS=world.name("files", url=url, **ALL)) as client:
        await asked(client)
    odd, good = outputs(sent(upstream)[2])
    assert odd.endswith("gave no result of odd: it flooded us with messages that nobody asked for")
    assert "all is well" in good


async def test_a_server_that_has_us_listen_again_and_again_is_left(connect: Connect, upstream: Upstream, world: World):
    listened: list[None] = []

    async def at_once_again(reply: Reply, request: Message) -> None:
        del request
        listened.append(None)
        await reply.begin(kind=EVENTS)
        await reply.more(b"retry: 0\n\n", more=False)

    async def when_it_was_heard(reply: Reply, request: Message) -> None:
        with anyio.move_on_after(30):
            while len(listened) < 1_000:
                await anyio.sleep(0.01)
        await reply.whole(said(request, "late"))

    upstream.script(calls(("files__odd", {})), answers("It is done."))
    async with (
        served(older(when_it_was_heard, at_once_again)) as url,
        connect(OR_MCP_SERVERS=world.name("files", url=url, **ALL)) as client,
    ):
        await asked(client)
    assert "it flooded us" in outputs(sent(upstream)[1])[0]
    assert len(listened) < 100


async def test_a_session_that_its_server_has_forgotten_is_begun_again(
    connect: Connect, upstream: Upstream, world: World
):
    async def forgotten(reply: Reply, request: Message) -> None:
        del request
        await reply.whole(status=404)

    upstream.script(calls(("files__odd", {})), calls(("files__good", {})), answers("It is done."))
    async with served(older(forgotten)) as url, connect(OR_MCP_SERVERS=world.name("files", url=url, **ALL)) as client:
        await asked(client)
    odd, good = outputs(sent(upstream)[2])
    assert odd.endswith("gave no result of odd: it no longer knows our session")
    assert "all is well" in good


async def test_ten_megabytes_come_as_an_event_too(connect: Connect, upstream: Upstream, world: World):
    async def large(reply: Reply, request: Message) -> None:
        await reply.begin(kind=EVENTS)
        await reply.more(b"data: " + json.dumps(said(request, "x" * 10_000_000)).encode() + b"\n\n")

    upstream.script(calls(("files__odd", {})), answers("It is done."))
    async with served(older(large)) as url, connect(OR_MCP_SERVERS=world.name("files", url=url, **ALL)) as client:
        await asked(client)
    assert "of 10,000,000; the rest:" in outputs(sent(upstream)[1])[0]
