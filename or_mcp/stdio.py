"""MCP over this process's stdin and stdout, without threads where the system allows it.

The SDK's transport makes three thread hops a message, which is half of what a call costs here, and its blocked read
keeps a process alive after a signal. On POSIX pipes and sockets the event loop can wait by itself; everywhere else
(Windows, a terminal, a file) a thread waits, which ends with the process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from threading import Thread
from typing import Any, TypeVar

import anyio
import mcp_types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from or_mcp.starting.front import Begun
from or_mcp.unanswered import is_odd, unreadable, unwritable

logger = logging.getLogger(__name__)

Incoming = SessionMessage | Exception
T = TypeVar("T")

# A message of megabytes comes in few reads.
_CHUNK = 256 * 1024
_LAST_SECONDS = 2.0


@asynccontextmanager
async def open_stdio(at_end: Callable[[], None], begun: Begun) -> AsyncGenerator[tuple[Any, Any]]:
    """The streams that the SDK's server reads from and writes to.

    `at_end` is called the moment the host closes its side. While serving, fd 0 is empty and fd 1 is stderr, so that
    nothing but the protocol can reach the host.
    """
    wire_in, wire_out = os.dup(0), os.dup(1)
    _divert()
    async with open_pipes(wire_in, wire_out, at_end, begun) as streams:
        yield streams


@asynccontextmanager
async def open_pipes(
    wire_in: int, wire_out: int, at_end: Callable[[], None], begun: Begun
) -> AsyncGenerator[tuple[Any, Any]]:
    """The same over two descriptors, which are closed at the end."""
    incoming, read_stream = anyio.create_memory_object_stream[Incoming](0)
    write_stream, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    waiting = [descriptor for descriptor in (wire_in, wire_out) if _can_wait(descriptor)]
    for descriptor in waiting:
        os.set_blocking(descriptor, False)
    take = partial(_take if wire_in in waiting else _take_in_thread, wire_in)
    give = partial(_give if wire_out in waiting else _give_in_thread, wire_out)
    unanswered: set[str | int] = set()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_read, begun.heard, take, incoming, write_stream.clone(), unanswered, at_end)
            tasks.start_soon(_write, give, outgoing, unanswered, begun.answered)
            yield read_stream, write_stream
            tasks.cancel_scope.cancel()
    finally:
        for descriptor in waiting:
            os.set_blocking(descriptor, True)
            os.close(descriptor)


def _can_wait(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return sys.platform != "win32" and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


def _divert() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)


async def _take(descriptor: int) -> bytes:
    """What has come; nothing at the end."""
    while True:
        await anyio.wait_readable(descriptor)
        try:
            return os.read(descriptor, _CHUNK)
        except BlockingIOError:
            continue
        except OSError:
            return b""


async def _take_in_thread(descriptor: int) -> bytes:
    return await _in_thread(lambda: os.read(descriptor, _CHUNK), b"")


async def _give(descriptor: int, data: memoryview) -> int:
    """Write some of it; how much, and 0 where nobody reads it."""
    while True:
        try:
            return os.write(descriptor, data)
        except BlockingIOError:
            await anyio.wait_writable(descriptor)
        except OSError:
            return 0


async def _give_in_thread(descriptor: int, data: memoryview) -> int:
    return await _in_thread(lambda: os.write(descriptor, data[:_CHUNK]), 0)


async def _in_thread(work: Callable[[], T], failed: T) -> T:
    """Have something done that may never end, in a thread that keeps no process alive."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def do() -> None:
        result = failed
        with suppress(OSError):
            result = work()
        # The program may have ended meanwhile.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: done.done() or done.set_result(result))

    Thread(target=do, name="or-mcp stdio", daemon=True).start()
    return await done


async def _read(
    heard: bytes,
    take: Callable[[], Awaitable[bytes]],
    incoming: MemoryObjectSendStream[Incoming],
    answers: MemoryObjectSendStream[SessionMessage],
    unanswered: set[str | int],
    at_end: Callable[[], None],
) -> None:
    pending: list[bytes] = []
    async with incoming, answers:
        while chunk := heard or await take():
            heard = b""
            *lines, rest = chunk.split(b"\n")
            for line in lines:
                pending.append(line)
                await _deliver(b"".join(pending), incoming, answers, unanswered)
                pending.clear()
            if rest:
                pending.append(rest)
        at_end()
        # Whoever says all at once and then closes still listens.
        with anyio.move_on_after(_LAST_SECONDS):
            while unanswered:  # noqa: ASYNC110
                await anyio.sleep(0.01)


async def _deliver(
    line: bytes,
    incoming: MemoryObjectSendStream[Incoming],
    answers: MemoryObjectSendStream[SessionMessage],
    unanswered: set[str | int],
) -> None:
    if not line.strip():
        return
    try:
        message = mcp_types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        message = None
    if message is None or is_odd(message, line):
        await answers.send(SessionMessage(unreadable(line)))
        return
    if isinstance(message, mcp_types.JSONRPCRequest):
        unanswered.add(message.id)
    await incoming.send(SessionMessage(message))


async def _write(
    give: Callable[[memoryview], Awaitable[int]],
    outgoing: MemoryObjectReceiveStream[SessionMessage],
    unanswered: set[str | int],
    answered: set[str | int],
) -> None:
    async with outgoing:
        async for sent in outgoing:
            message = sent.message
            is_answer = isinstance(message, mcp_types.JSONRPCResponse | mcp_types.JSONRPCError)
            answers = message.id if is_answer else None
            # What was answered before this server was there is not answered twice.
            data = memoryview(b"" if answers in answered else _line(message))
            while data:
                written = await give(data)
                if not written:
                    # The host is gone; its side of stdin ends too, and that ends the program.
                    return
                data = data[written:]
            if answers is not None:
                unanswered.discard(answers)
                answered.discard(answers)


def _line(message: mcp_types.JSONRPCMessage) -> bytes:
    """A message as it is written. In place of an answer that cannot be written goes an error: somebody waits for it."""
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
    except ValueError:
        logger.exception("A message could not be written")
        instead = unwritable(message)
        return _line(instead) if instead is not None else b""
