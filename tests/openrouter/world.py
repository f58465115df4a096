"""A client on the simulator's socket, and a server that says exactly what it is told to."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import SocketStream

from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.http import Http
from or_mcp.openrouter.identity import Identity

IDENTITY = Identity("or-mcp-test", "1.0", "https://example.com/or-mcp")


@asynccontextmanager
async def client_of(base_url: str, key: str | None = "sk-or-test") -> AsyncGenerator[OpenRouter]:
    """A client of the API at an address."""
    http = Http(base_url, IDENTITY)
    try:
        yield OpenRouter(http, key)
    finally:
        await http.close()


@asynccontextmanager
async def answering(*replies: bytes) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """A server that gives each connection the next of these bytes, then closes it; and the requests it was sent."""
    requests: list[bytes] = []

    async def answer(stream: SocketStream) -> None:
        async with stream:
            reply = replies[min(len(requests), len(replies) - 1)]
            requests.append(await stream.receive())
            await stream.send(reply)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", family=socket.AF_INET)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, answer)
        yield f"http://127.0.0.1:{port}/api/v1", requests
        group.cancel_scope.cancel()


def reply(status: str, body: bytes = b"", **headers: str) -> bytes:
    """An HTTP reply that ends its connection."""
    named = {"Content-Length": str(len(body)), "Connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body
