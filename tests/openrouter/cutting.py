"""Somebody between a program and its upstream who lets a stream through up to some point, and then does harm."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketStream

Harm = Literal["close", "reset", "hang", "half a line", "garbage", "nothing"]
HARMS: tuple[Harm, ...] = ("close", "reset", "hang", "half a line", "garbage")


@dataclass(slots=True)
class Cut:
    """What is done before the first line of a stream that holds `before`, and who came."""

    before: bytes
    harm: Harm
    base_url: str = ""
    connections: int = 0
    done: int = 0


@asynccontextmanager
async def cutting(upstream_url: str, before: bytes, harm: Harm) -> AsyncGenerator[Cut]:
    """Stand between; the program is to call `base_url`."""
    cut = Cut(before, harm)
    there = urlsplit(upstream_url)

    async def serve(stream: SocketStream) -> None:
        cut.connections += 1
        upstream = await anyio.connect_tcp(str(there.hostname), there.port or 80)
        async with stream, upstream, anyio.create_task_group() as group:
            group.start_soon(_pass, stream, upstream)
            await _watch(cut, upstream, stream)
            group.cancel_scope.cancel()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", family=socket.AF_INET)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    cut.base_url = f"http://127.0.0.1:{port}{there.path}"
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield cut
        group.cancel_scope.cancel()


async def _pass(source: SocketStream, target: SocketStream) -> None:
    try:
        async for chunk in source:
            await target.send(chunk)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass


async def _watch(cut: Cut, source: SocketStream, target: SocketStream) -> None:
    """Pass on what comes, whole lines at a time, until the line that must not arrive."""
    held = b""
    try:
        async for chunk in source:
            *lines, held = (held + chunk).split(b"\n")
            for line in lines:
                if cut.before in line and line.startswith(b"data:") and cut.harm != "nothing":
                    cut.done += 1
                    await _harm(cut.harm, target)
                    return
                await target.send(line + b"\n")
            if not held.startswith(b"data:"):
                await target.send(held)
                held = b""
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass


async def _harm(harm: Harm, target: SocketStream) -> None:
    if harm == "half a line":
        await target.send(b'data: {"id": "ge')
    if harm == "garbage":
        await target.send(b"data: <html>\n\ndata: {}\n\nno chunk of any size\r\n")
    if harm in ("hang", "garbage"):
        await anyio.sleep_forever()
    if harm in ("reset", "half a line"):
        raw = target.extra(anyio.abc.SocketAttribute.raw_socket)
        while _on_its_way(raw):
            await anyio.sleep(0.01)
        # Closing with data that must not linger sends a reset.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _on_its_way(raw: socket.socket) -> int:
    """Bytes that the other side has not received: a reset would take them back."""
    return struct.unpack("i", fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, struct.pack("i", 0)))[0]
