"""Serving an ASGI app on a real socket, in this event loop or in a thread."""

import asyncio
import contextlib
import socket
import threading
from asyncio import BaseTransport
from collections.abc import AsyncGenerator, Generator
from typing import Any, cast

import anyio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from or_mcp.simulator.delivery.carrying import TRANSPORT


class _Protocol(H11Protocol):
    """HTTP/1.1 that hands its transport to the app, so that a reply can tear the connection down."""

    def connection_made(self, transport: BaseTransport) -> None:  # type: ignore[override]
        super().connection_made(cast("asyncio.Transport", transport))
        app = cast(ASGIApp, self.app)

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = cast(Any, with_transport)


class _Server(uvicorn.Server):
    """A server that is started and stopped from inside a running event loop."""

    async def start(self, listener: socket.socket) -> None:
        """Begin to accept connections."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets=[listener])

    async def stop(self) -> None:
        """Stop at once, open streams included."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            cast(Any, connection).transport.abort()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    # Named as TCP, its connections get TCP_NODELAY from asyncio; without that each reply waits 40 ms for an ACK.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


@contextlib.asynccontextmanager
async def serve(app: ASGIApp, host: str, port: int) -> AsyncGenerator[int]:
    """Serve an app while the block runs; yields the port."""
    config = uvicorn.Config(
        cast(Any, app),
        http=_Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        log_config=None,
        backlog=2048,
    )
    server = _Server(config)
    with _listen(host, port) as listener:
        await server.start(listener)
        try:
            yield listener.getsockname()[1]
        finally:
            with anyio.CancelScope(shield=True):
                await server.stop()


@contextlib.contextmanager
def serve_in_thread(app: ASGIApp, host: str, port: int) -> Generator[int]:
    """Serve an app from a thread of its own while the block runs; yields the port."""
    ports: list[int] = []
    failures: list[BaseException] = []
    ready = threading.Event()
    control: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        over = asyncio.Event()
        control.append((asyncio.get_running_loop(), over))
        async with serve(app, host, port) as taken:
            ports.append(taken)
            ready.set()
            await over.wait()

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work, name="or-mcp-simulator", daemon=True)
    thread.start()
    ready.wait()
    if failures:
        raise failures[0]
    try:
        yield ports[0]
    finally:
        loop, over = control[0]
        loop.call_soon_threadsafe(over.set)
        thread.join()
