"""A host that writes its own messages: it gives up calls with whatever reason it likes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import mcp_types
import pytest
from mcp.shared.memory import create_client_server_memory_streams
from mcp.shared.message import SessionMessage

from or_mcp.server import Program
from or_mcp.settings import read_settings
from tests.serving.programs import LEGACY

Host = Callable[..., AbstractAsyncContextManager["RawHost"]]


class RawHost:
    """One session."""

    def __init__(self, program: Program, read: Any, write: Any) -> None:
        self.program = program
        self._read, self._write = read, write
        self._number = 0

    async def begin(self, tool: str, **arguments: Any) -> int:
        """Call a tool, and do not wait; the request's id."""
        return await self._send("tools/call", {"name": tool, "arguments": arguments})

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool: its result."""
        return await self.reply(await self.begin(tool, **arguments))

    async def give_up(self, request_id: int, reason: str | None) -> None:
        """Cancel a request."""
        told = {"requestId": request_id} | ({} if reason is None else {"reason": reason})
        await self._notify("notifications/cancelled", told)

    async def greet(self, name: str, version: str) -> None:
        """Open the session."""
        info = {"name": name, "version": version}
        greeting = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": info}
        await self.reply(await self._send("initialize", greeting))
        await self._notify("notifications/initialized", {})

    async def reply(self, request_id: int) -> dict[str, Any]:
        """What a request is answered with."""
        with anyio.fail_after(120):
            while True:
                message = (await self._read.receive()).message
                if isinstance(message, mcp_types.JSONRPCResponse) and message.id == request_id:
                    return message.result

    async def _send(self, method: str, params: dict[str, Any]) -> int:
        self._number += 1
        request = mcp_types.JSONRPCRequest(jsonrpc="2.0", id=self._number, method=method, params=params)
        await self._write.send(SessionMessage(request))
        return self._number

    async def _notify(self, method: str, params: dict[str, Any]) -> None:
        notice = mcp_types.JSONRPCNotification(jsonrpc="2.0", method=method, params=params)
        await self._write.send(SessionMessage(notice))


@pytest.fixture
def host(environment: dict[str, str]) -> Host:
    """Open a session with our program, as a program of any name; settings may be given, or a program to share."""

    @asynccontextmanager
    async def opened(
        name: str = "some-host", version: str = "1", program: Program | None = None, **settings: str
    ) -> AsyncGenerator[RawHost]:
        program = program or Program(read_settings(environment | settings))
        server = program.server
        async with create_client_server_memory_streams() as (ours, theirs), anyio.create_task_group() as group:
            group.start_soon(server.run, *theirs, server.create_initialization_options())
            raw = RawHost(program, *ours)
            await raw.greet(name, version)
            yield raw
            await ours[1].aclose()

    return opened
