"""Running the server: on stdio or over HTTP, until the host leaves or a signal comes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import anyio

from or_mcp.server import Program
from or_mcp.settings import Settings
from or_mcp.stdio import open_stdio

if TYPE_CHECKING:
    import uvicorn

_GRACE_SECONDS = 2


async def serve_stdio(settings: Settings) -> None:
    """Serve one host. Runs in flight when it leaves get some time to be recorded."""
    program = Program(settings)

    async def stop() -> None:
        program.leave()
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_on_signal, stop)
        async with open_stdio(at_end=program.leave) as (incoming, outgoing):
            await program.server.run(incoming, outgoing, program.server.create_initialization_options())
        tasks.cancel_scope.cancel()


async def serve_http(settings: Settings, host: str, port: int) -> None:
    """Serve many hosts. Calls in flight when a signal comes get some time to be answered."""
    from or_mcp.http_app import build_app
    from or_mcp.web.doors import PATH, is_loopback
    from or_mcp.web.protocol import Server

    # Whoever is reached from other machines may be one of several behind a balancer.
    app = build_app(Program(settings), stateless=not is_loopback(host))
    server = Server(_config(app, host, port))
    died = anyio.Event()
    app.state.died = died.set
    print(f"or-mcp: MCP at http://{host}:{port}{PATH}", file=sys.stderr)  # noqa: T201

    async def stop() -> None:
        # Until all calls are answered the port stays open, so that probes and callers hear of it.
        app.state.drain.begin()
        await app.state.drain.ended()
        server.should_exit = True

    async def end() -> None:
        await died.wait()
        server.should_exit = True

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_on_signal, stop)
        tasks.start_soon(end)
        # uvicorn says itself that a port is taken, and would then end the program with a code of its own.
        with suppress(SystemExit):
            await server.serve()
        tasks.cancel_scope.cancel()
    if not server.started or died.is_set():
        raise SystemExit(1)


def serve_workers(host: str, port: int, workers: int) -> int:
    """The same in several processes behind one port. One that dies is replaced; the others end what it left."""
    from uvicorn.supervisors import Multiprocess

    from or_mcp.web.doors import PATH

    config = _config("or_mcp.http_app:app", host, port)
    config.workers = workers
    with closing(config.bind_socket()) as listening:
        print(f"or-mcp: MCP at http://{host}:{port}{PATH}, {workers} processes", file=sys.stderr)  # noqa: T201
        Multiprocess(config, sockets=[listening]).run()
    return 0


def _config(app: Any, host: str, port: int) -> uvicorn.Config:
    import uvicorn

    from or_mcp.web.protocol import HurryingProtocol

    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        http=HurryingProtocol,
    )


async def _on_signal(stop: Callable[[], Awaitable[None]]) -> None:
    """A signal ends the program in good order; a second one finds no handler, and ends it at once."""
    if sys.platform == "win32":
        return
    # A terminal that is closed ends it too, unless somebody has said that it shall not (nohup).
    hang_up = [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN else []
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, *hang_up) as signals:
        await anext(signals)
    await stop()
