"""Load over Streamable HTTP: a few connections, each asking again as soon as it has its answer."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from bench.programs import Program, complaint, environment, free_port, started
from bench.protocol import INITIALIZED, Era, checked, question

_START_SECONDS = 120
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SESSION = re.compile(rb"\r\nmcp-session-id: *([^\r]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did in a time."""

    calls_per_second: float
    seconds: list[float]


class Connection:
    """One kept-alive connection to `/mcp`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, era: Era) -> None:
        self._reader = reader
        self._writer = writer
        self._era = era
        self._session = b""
        self._number = 0

    async def open(self) -> None:
        """Open a session, where the era has one."""
        if self._era.handshake:
            head, body = await self._post(self._era.open(0), self._era.opening, versioned=False)
            checked(_message(body))
            found = _SESSION.search(head)
            self._session = b"Mcp-Session-Id: %b\r\n" % found[1] if found else b""
            await self._post(INITIALIZED, "notifications/initialized")

    async def ask(self) -> None:
        """One `ask`."""
        self._number += 1
        message = self._era.message(self._number, "tools/call", question())
        checked(_message((await self._post(message, "tools/call", b"Mcp-Name: ask\r\n"))[1]))

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()

    async def _post(
        self, message: bytes, method: str, more: bytes = b"", *, versioned: bool = True
    ) -> tuple[bytes, bytes]:
        version = f"MCP-Protocol-Version: {self._era.version}\r\nMcp-Method: {method}\r\n" if versioned else ""
        self._writer.write(
            b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:80\r\nContent-Type: application/json\r\n"
            b"Accept: application/json, text/event-stream\r\n%b%b%bContent-Length: %d\r\n\r\n%b"
            % (version.encode(), self._session, more, len(message), message)
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        return head, await self._body(head)

    async def _body(self, head: bytes) -> bytes:
        length = _LENGTH.search(head)
        if length is not None:
            return await self._reader.readexactly(int(length[1]))
        if b"chunked" not in head.lower():
            return b""
        parts: list[bytes] = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            parts.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readuntil(b"\r\n")
        return b"".join(parts)


async def load(port: int, era: Era, connections: int, seconds: float) -> Load:
    """Ask over so many connections for so long."""
    opened = [Connection(*await asyncio.open_connection("127.0.0.1", port), era) for _ in range(connections)]
    for connection in opened:
        await connection.open()
        await connection.ask()
    start = monotonic()
    took = await asyncio.gather(*(_keep_asking(connection, start + seconds) for connection in opened))
    elapsed = monotonic() - start
    for connection in opened:
        await connection.close()
    calls = [each for one in took for each in one]
    return Load(len(calls) / elapsed, calls)


async def _keep_asking(connection: Connection, until: float) -> list[float]:
    took: list[float] = []
    while (start := monotonic()) < until:
        await connection.ask()
        took.append(monotonic() - start)
    return took


def _message(body: bytes) -> Mapping[str, Any]:
    """The reply, whether it came as JSON or as the last event with data."""
    if body.startswith(b"{"):
        return json.loads(body)
    events = [line[6:] for line in body.splitlines() if line.startswith(b"data: {")]
    return json.loads(events[-1])


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers, and the process that has all its others as children."""

    port: int
    pid: int


@contextmanager
def web_server(program: Program, base_url: str, data: Path, *more: str) -> Generator[Served]:
    """A server on Streamable HTTP."""
    port = free_port()
    command = program.command("serve", "--http", *more, "--port", str(port))
    with started(command, environment(base_url, data), talks=False) as (process, errors):
        try:
            _wait_for(port)
            yield Served(port, process.pid)
        except (RuntimeError, OSError) as error:
            state = "ended" if process.poll() is not None else "runs"
            raise RuntimeError(f"{program.name} ({state}): {error}\n{complaint(errors)}") from error


def _wait_for(port: int) -> None:
    """Wait until a port is served."""
    until = monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if monotonic() > until:
                raise
            sleep(0.05)
        else:
            return
