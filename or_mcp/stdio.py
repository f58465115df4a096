"""MCP over this process's stdin and stdout, without threads where the system allows it.

The SDK's transport makes three thread hops a message, which is half of what a call costs here, and its blocked read
keeps a process alive after a signal. On POSIX pipes and sockets the event loop can wait by itself; everywhere else
(Windows, a terminal, a file) the SDK's transport serves.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import mcp_types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

from or_mcp.unanswered import is_odd, unreadable, unwritable

logger = logging.getLogger(__name__)

Incoming = SessionMessage | Exception
# A message of megabytes comes in few reads.
_CHUNK = 256 * 1024


@asynccontextmanager
async def open_stdio(at_end: Callable[[], None]) -> AsyncGenerator[tuple[Any, Any]]:
    """The streams that the SDK's server reads from and writes to.

    `at_end` is called the moment the host closes its side. While serving, fd 0 is empty and fd 1 is stderr, so that
    nothing but the protocol can reach the host.
    """
    if sys.platform == "win32" or not (_can_wait(0) and _can_wait(1)):
        async with stdio_server() as streams:
            yield streams
        return
    wire_in, wire_out = os.dup(0), os.dup(1)
    _divert()
    async with open_pipes(wire_in, wire_out, at_end) as streams:
        yield streams


@asynccontextmanager
async def open_pipes(wire_in: int, wire_out: int, at_end: Callable[[], None]) -> AsyncGenerator[tuple[Any, Any]]:
    """The same over two descriptors, which are closed at the end."""
    incoming, read_stream = anyio.create_memory_object_stream[Incoming](0)
    write_stream, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    for descriptor in (wire_in, wire_out):
        os.set_blocking(descriptor, False)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_read, wire_in, incoming, write_stream.clone(), at_end)
            tasks.start_soon(_write, wire_out, outgoing)
            yield read_stream, write_stream
            tasks.cancel_scope.cancel()
    finally:
        for descriptor in (wire_in, wire_out):
            os.set_blocking(descriptor, True)
            os.close(descriptor)


def _can_wait(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _divert() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)


async def _read(
    descriptor: int,
    incoming: MemoryObjectSendStream[Incoming],
    answers: MemoryObjectSendStream[SessionMessage],
    at_end: Callable[[], None],
) -> None:
    pending: list[bytes] = []
    async with incoming, answers:
        while True:
            await anyio.wait_readable(descriptor)
            try:
                chunk = os.read(descriptor, _CHUNK)
            except BlockingIOError:
                continue
            except OSError:
                chunk = b""
            if not chunk:
                at_end()
                return
            *lines, rest = chunk.split(b"\n")
            for line in lines:
                pending.append(line)
                await _deliver(b"".join(pending), incoming, answers)
                pending.clear()
            if rest:
                pending.append(rest)


async def _deliver(
    line: bytes, incoming: MemoryObjectSendStream[Incoming], answers: MemoryObjectSendStream[SessionMessage]
) -> None:
    if not line.strip():
        return
    try:
        message = mcp_types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        await answers.send(SessionMessage(unreadable(line)))
        return
    if is_odd(message, line):
        await answers.send(SessionMessage(unreadable(line)))
        return
    await incoming.send(SessionMessage(message))


async def _write(descriptor: int, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
    async with outgoing:
        async for message in outgoing:
            data = _line(message.message)
            if data and not await _write_all(descriptor, memoryview(data)):
                return


def _line(message: mcp_types.JSONRPCMessage) -> bytes:
    """A message as it is written. In place of an answer that cannot be written goes an error: somebody waits for it."""
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
    except ValueError:
        logger.exception("A message could not be written")
        instead = unwritable(message)
        return _line(instead) if instead is not None else b""


async def _write_all(descriptor: int, data: memoryview) -> bool:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            await anyio.wait_writable(descriptor)
        except OSError:
            # The host is gone; its side of stdin ends too, and that ends the program.
            return False
    return True
