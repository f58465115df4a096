"""The real program in a process of its own, to be killed."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from anyio.abc import Process
from mcp import Client
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter


@asynccontextmanager
async def started(environment: dict[str, str], *under: str) -> AsyncGenerator[Killable]:
    """A server process with a client, under another command if given; however the block ends, it is gone."""
    command = [*under, sys.executable, "-m", "or_mcp"]
    process = await anyio.open_process(command, env={"PATH": "/usr/bin:/bin", **environment}, stderr=None)
    try:
        async with Client(_transport(process)) as client:
            yield Killable(client, process)
    finally:
        if process.returncode is None:
            process.kill()
        # Its pipes are closed here: whoever finds them open later, in another test, would fail for it.
        with anyio.CancelScope(shield=True):
            await process.aclose()


class Killable:
    """A connected server process."""

    def __init__(self, client: Client, process: Process) -> None:
        self.client = client
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def kill(self) -> None:
        """`kill -9`."""
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def terminate(self) -> int:
        """SIGTERM; the exit code."""
        return await self.end(signal.SIGTERM)

    async def end(self, number: signal.Signals) -> int:
        """End it by a signal; the exit code."""
        self._process.send_signal(number)
        return await self._process.wait()

    async def close_stdin(self) -> int:
        """The host goes away; the exit code."""
        assert self._process.stdin is not None
        await self._process.stdin.aclose()
        return await self._process.wait()


@asynccontextmanager
async def _transport(process: Process) -> AsyncGenerator[Any]:
    to_client, read_stream = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write_stream, from_client = anyio.create_memory_object_stream[SessionMessage](0)

    async def read() -> None:
        assert process.stdout is not None
        pending = b""
        async with to_client:
            async for chunk in process.stdout:
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    await to_client.send(SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False)))

    async def write() -> None:
        assert process.stdin is not None
        async with from_client:
            async for message in from_client:
                data = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                # Whoever has closed its ears need not hear the rest.
                with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
                    await process.stdin.send(data.encode() + b"\n")

    async with read_stream, write_stream, anyio.create_task_group() as group:
        group.start_soon(read)
        group.start_soon(write)
        yield read_stream, write_stream
        group.cancel_scope.cancel()
