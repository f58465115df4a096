"""Sessions with servers: each is begun when it is first needed, once more when it ends, and closed when idle."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from or_mcp.openrouter.errors import Failure
from or_mcp.servers.file import Server
from or_mcp.servers.trouble import ServerTrouble

if TYPE_CHECKING:
    from or_mcp.servers.session import Session

_IDLE_SECONDS, _LOOK_EVERY_SECONDS = 600.0, 30.0
# A server that ends twice within this time is not begun a third time.
_QUIET_SECONDS = 60.0


class Sessions:
    """Those of one process, or of one run that shares nothing with others."""

    def __init__(self, servers: Iterable[Server], group: TaskGroup) -> None:
        self._servers = {server.name: server for server in servers}
        self._group = group
        self._held: dict[str, Session] = {}
        self._locks = {name: anyio.Lock() for name in self._servers}
        self._again: dict[str, float] = {}

    @classmethod
    @asynccontextmanager
    async def running(cls, servers: Iterable[Server]) -> AsyncGenerator[Sessions]:
        """Sessions that end with this block."""
        failure: Failure | None = None
        async with anyio.create_task_group() as group:
            sessions = cls(servers, group)
            group.start_soon(sessions.close_idle)
            try:
                yield sessions
            except Failure as error:
                # Whoever waits for it knows no groups of them.
                failure = error
            finally:
                group.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def of(self, name: str) -> Session:
        """A session with a server.

        Raises:
            ServerTrouble: It cannot be begun, or ended twice in a short time.
        """
        async with self._locks[name]:
            held = self._held.get(name)
            if held is not None and held.is_alive:
                held.used = anyio.current_time()
                return held
            if held is not None:
                self._begin_again(name)
            from or_mcp.servers.session import Session  # Few processes have servers.

            session = Session(self._servers[name])
            await self._group.start(session.live)
            self._held[name] = session
            return session

    def _begin_again(self, name: str) -> None:
        now = anyio.current_time()
        if now - self._again.get(name, -_QUIET_SECONDS) < _QUIET_SECONDS:
            raise ServerTrouble(f"MCP server {name!r} has ended twice; it is started again in a minute")
        self._again[name] = now

    async def close_idle(self) -> None:
        """Let go, again and again, of what nobody has used for a while."""
        while True:
            await anyio.sleep(_LOOK_EVERY_SECONDS)
            for name, session in list(self._held.items()):
                if not session.calls and anyio.current_time() - session.used > _IDLE_SECONDS:
                    del self._held[name]
                    session.leave()


class Servers:
    """The servers of the operator's file, as runs use them."""

    def __init__(self, servers: Iterable[Server], *, apart: bool) -> None:
        self.known = {server.name: server for server in servers}
        self._apart = apart
        self._shared: Sessions | None = None

    def begin(self, group: TaskGroup) -> None:
        """Keep sessions as long as this group lasts."""
        if self.known and not self._apart:
            self._shared = Sessions(self.known.values(), group)
            group.start_soon(self._shared.close_idle)

    @asynccontextmanager
    async def for_a_run(self) -> AsyncGenerator[Sessions]:
        """The sessions that a run uses: those of the process, or its own where callers do not know each other."""
        if self._shared is not None:
            yield self._shared
            return
        async with Sessions.running(self.known.values()) as own:
            yield own
