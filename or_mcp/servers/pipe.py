"""MCP with a program over its stdin and stdout: nothing that it sends can fill memory, stop us, or reach our stdout.

It gets the few variables that every program needs, and what the operator's file names: nothing else of ours.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
from anyio.abc import Process
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from or_mcp.servers.bounds import LONGEST, TOO_LARGE, Noise, is_too_large, parts_of
from or_mcp.servers.file import Server
from or_mcp.servers.trouble import ServerTrouble

logger = logging.getLogger(__name__)

# Of what it writes to its stderr, so many lines of such a length reach our log.
_LOGGED_LINES, _LOGGED_CHARS = 1_000, 500
# How long a program may take to end when its stdin is closed, and again when it is told to.
_GRACE_SECONDS = 2.0
_MOMENT_SECONDS = 0.5

T = TypeVar("T")
_Incoming = MemoryObjectSendStream[SessionMessage | Exception]


class Pipe:
    """A program that is running, and why it can be used no longer."""

    def __init__(self, server: Server, process: Process, noise: Noise, over: Callable[[], None]) -> None:
        self._name = server.name
        self._process = process
        self._over = over
        self._noise = noise
        self._last_words = ""
        self._problem = ""

    @property
    def problem(self) -> str:
        """Why it is over."""
        code = self._process.returncode
        ended = "it closed its stdout" if code is None else f"it ended with exit code {code}"
        return self._problem or ended + (f"; its last words: {self._last_words!r}" if self._last_words else "")

    async def read(self, incoming: _Incoming) -> None:
        """Pass on what it says, until it ends or says too much."""
        pending = bytearray()
        async with incoming:
            with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, ConnectionError):
                async for chunk in _there(self._process.stdout):
                    pending += chunk
                    if b"\n" in chunk:
                        *lines, pending = pending.split(b"\n")
                        for line in lines:
                            await self._pass_on(bytes(line), incoming)
                    # Its parts are counted once it is whole: a program may send it byte by byte.
                    if self._problem or (len(pending) > LONGEST and self._is_too_much(bytes(pending))):
                        break
            # Why it is over is known a moment after its stdout is.
            with anyio.move_on_after(_MOMENT_SECONDS if not self._problem else 0):
                await self._process.wait()
            self._over()

    async def write(self, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
        """Send what the session says."""
        async with outgoing:
            with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
                async for message in outgoing:
                    data = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                    await _there(self._process.stdin).send(data.encode() + b"\n")
                return
            self._over()

    async def log(self) -> None:
        """What it writes to its stderr goes to our log, under its name."""
        logged, pending = 0, b""
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, ConnectionError):
            async for chunk in _there(self._process.stderr):
                *lines, pending = (pending + chunk)[-LONGEST:].split(b"\n")
                for line in lines if logged < _LOGGED_LINES else ():
                    logged += 1
                    self._last_words = _printable(line) or self._last_words
                    logger.info("%s: %s", self._name, _printable(line))
                pending = pending[:_LOGGED_CHARS]

    async def _pass_on(self, line: bytes, incoming: _Incoming) -> None:
        self._problem = self._problem or self._noise.heard()
        await anyio.lowlevel.checkpoint()
        if self._problem or self._is_too_much(line) or not line.strip():
            return
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except (ValidationError, ValueError):
            # Many programs print where only the protocol belongs.
            logger.info("%s says what is no message: %s", self._name, _printable(line))
            return
        await incoming.send(SessionMessage(message))

    def _is_too_much(self, line: bytes) -> bool:
        if is_too_large(len(line), parts_of(line)):
            self._problem = TOO_LARGE
        return bool(self._problem)


@asynccontextmanager
async def piped(
    server: Server, noise: Noise, over: Callable[[], None], opened: Callable[[Pipe], None]
) -> AsyncGenerator[Any]:
    """The streams of a session with a program that runs as long as this block.

    Raises:
        ServerTrouble: It cannot be started.
    """
    process = await _start(server)
    pipe = Pipe(server, process, noise, over)
    opened(pipe)
    incoming, to_session = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    from_session, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    async with anyio.create_task_group() as group:
        group.start_soon(pipe.read, incoming)
        group.start_soon(pipe.write, outgoing)
        group.start_soon(pipe.log)
        try:
            yield to_session, from_session
        finally:
            with anyio.CancelScope(shield=True):
                to_session.close()
                from_session.close()
                await _end(process)
            group.cancel_scope.cancel()


async def _start(server: Server) -> Process:
    env = get_default_environment() | dict(server.env)
    # On Windows npx is a script, which is found by its extension.
    command = shutil.which(server.command, path=env.get("PATH")) or server.command
    try:
        return await anyio.open_process(
            [command, *server.args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            cwd=server.cwd or None,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ServerTrouble(f"MCP server {server.name!r} cannot be started: {server.command}: {why}") from None


async def _end(process: Process) -> None:
    """Close its stdin, and end it and what it has started where that is not enough."""
    with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        await _there(process.stdin).aclose()
    with anyio.move_on_after(_GRACE_SECONDS):
        await process.wait()
    if sys.platform != "win32":
        from mcp.os.posix.utilities import terminate_posix_process_tree

        # What it started may outlive it in its group.
        with suppress(OSError):
            await terminate_posix_process_tree(process, _GRACE_SECONDS)
    elif process.returncode is None:
        process.kill()
    with anyio.move_on_after(_GRACE_SECONDS):
        await process.aclose()


def _there(stream: T | None) -> T:
    """A stream of a process that was started with all of them."""
    if stream is None:
        msg = "the process has no such stream"
        raise RuntimeError(msg)
    return stream


def _printable(line: bytes) -> str:
    text = line[:_LOGGED_CHARS].decode(errors="replace").strip()
    return "".join(each if each.isprintable() else "\ufffd" for each in text)
