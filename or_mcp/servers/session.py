"""A session with one server: what it offers, and calls of its tools, each with an end."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import anyio
import mcp_types
from anyio.abc import TaskStatus
from mcp import Client, MCPError
from pydantic import ValidationError

from or_mcp import __version__
from or_mcp.servers.bounds import Noise
from or_mcp.servers.file import Server
from or_mcp.servers.pipe import Pipe, piped
from or_mcp.servers.trouble import ServerTrouble
from or_mcp.servers.web import over_http

logger = logging.getLogger(__name__)

# A package may have to be fetched first.
_START_SECONDS = 60.0
_LIST_SECONDS = 30.0
# Longer than a browser's page or a build of some size takes.
CALL_SECONDS = 180.0
# More pages of tools than this are no list.
_MOST_PAGES = 20
_OUR_NAME = "or-mcp"


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as its server describes it."""

    server: str
    name: str
    description: str
    schema: Mapping[str, Any]
    claims_to_be_harmless: bool

    @property
    def digest(self) -> str:
        """The same as long as its server describes it the same, and claims the same of it."""
        told = json.dumps([self.description, self.schema, self.claims_to_be_harmless], sort_keys=True)
        return sha256(told.encode(errors="replace")).hexdigest()


class Session:
    """A server that runs, or is reached, as long as `live` does."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.used = anyio.current_time()
        self.calls = 0
        self._over = anyio.Event()
        self._noise = Noise()
        self._client: Client | None = None
        self._pipe: Pipe | None = None
        self._refused = ""

    @property
    def is_alive(self) -> bool:
        """Whether it can be called."""
        return self._client is not None and not self._over.is_set()

    @property
    def instructions(self) -> str:
        """What it says of itself."""
        return (self._client.instructions if self._client is not None else None) or ""

    def leave(self) -> None:
        """Let it end."""
        self._over.set()

    async def live(self, *, task_status: TaskStatus[None]) -> None:
        """Start it, and stay until it is left or ends by itself.

        Raises:
            ServerTrouble: It did not start.
        """
        try:
            with anyio.fail_after(_START_SECONDS) as starting:
                async with self._connected() as self._client:
                    starting.deadline, self._refused = math.inf, ""
                    logger.info("%s speaks MCP %s", self.server.name, self._client.protocol_version)
                    task_status.started()
                    await self._over.wait()
        except Exception as error:
            if self._client is None:
                raise ServerTrouble(self._told("did not start", error)) from None
            # Whatever it did, it is its own session that has ended.
            logger.info("MCP server %s ended with trouble", self.server.name, exc_info=True)
        finally:
            self._client = None
            self._over.set()

    async def tools(self) -> list[OfferedTool]:
        """What it offers now.

        Raises:
            ServerTrouble: It does not say, or not in time.
        """
        found: list[OfferedTool] = []
        cursor: str | None = None
        with self._trouble("does not list its tools"), anyio.fail_after(_LIST_SECONDS):
            for _ in range(_MOST_PAGES):
                page = await self._connection.list_tools(cursor=cursor)
                found += [self._offered(tool) for tool in page.tools]
                cursor = page.next_cursor
                if not cursor:
                    break
        return found

    async def call(self, tool: str, arguments: dict[str, Any]) -> mcp_types.CallToolResult:
        """What a tool came back with.

        Raises:
            ServerTrouble: Nothing came back; whether it was carried out is not known.
        """
        self.calls += 1
        request = mcp_types.CallToolRequest(params=mcp_types.CallToolRequestParams(name=tool, arguments=arguments))
        try:
            with self._trouble(f"gave no result of {tool}"), anyio.fail_after(CALL_SECONDS):
                # The SDK's own call would check the result against the server's schema, whose patterns may never end.
                return await self._connection.session.send_request(request, mcp_types.CallToolResult)
        finally:
            self.calls -= 1
            self.used = anyio.current_time()

    @contextmanager
    def _trouble(self, what: str) -> Generator[None]:
        """It is asked something; whatever goes wrong, in whichever way, is one thing to whoever uses it."""
        self._noise.asked()
        try:
            yield
        except Exception as error:
            logger.debug("MCP server %s %s", self.server.name, what, exc_info=True)
            raise ServerTrouble(self._told(what, error)) from None

    @property
    def _connection(self) -> Client:
        if self._client is None:
            raise ServerTrouble(self._told("has ended", None))
        return self._client

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Client]:
        info = mcp_types.Implementation(name=_OUR_NAME, version=__version__)
        is_afar = bool(self.server.url)
        streams = over_http(self.server, self._noise, self._refuse, self.leave) if is_afar else self._program()
        # It is offered no sampling, no elicitation and no roots, and what it lists is never taken from a cache.
        async with Client(streams, client_info=info, cache=None) as client:
            yield client

    def _refuse(self, why: str) -> None:
        self._refused = why

    def _program(self) -> AbstractAsyncContextManager[Any]:
        def opened(pipe: Pipe) -> None:
            self._pipe = pipe

        return piped(self.server, self._noise, self.leave, opened)

    def _offered(self, tool: mcp_types.Tool) -> OfferedTool:
        hints = tool.annotations
        harmless = hints is not None and hints.read_only_hint is True and hints.destructive_hint is not True
        return OfferedTool(self.server.name, tool.name, tool.description or "", tool.input_schema, harmless)

    def _told(self, what: str, error: BaseException | None) -> str:
        """What went wrong, in our words and, in quotes, those of the server."""
        if self._refused:
            why, self._refused = self._refused, ""
        elif self._pipe is not None and self._over.is_set():
            why = self._pipe.problem
        elif isinstance(error, ServerTrouble):
            return error.message
        elif isinstance(error, MCPError):
            why = f"it says {error.error.message[:300]!r}"
        elif isinstance(error, TimeoutError):
            why = "it did not answer in time"
        elif isinstance(error, ValidationError | RuntimeError):
            why = "what it sent is not what the protocol asks for"
        else:
            why = "it cannot be reached"
        return f"MCP server {self.server.name!r} {what}: {why}"
