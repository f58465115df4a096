"""Running the server: on stdio or over HTTP, until the host leaves or a signal comes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import suppress

import anyio

from or_mcp.server import Program
from or_mcp.settings import Settings
from or_mcp.stdio import open_stdio


async def serve_stdio(settings: Settings) -> None:
    """Serve one host. Runs in flight when it leaves get some time to be recorded."""
    program = Program(settings)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_on_signal, program, tasks.cancel_scope.cancel)
        async with open_stdio(at_end=program.leave) as (incoming, outgoing):
            await program.server.run(incoming, outgoing, program.server.create_initialization_options())
        tasks.cancel_scope.cancel()


async def serve_http(settings: Settings, host: str, port: int) -> None:
    """Serve many hosts. Calls in flight when a signal comes get some time to be answered."""
    import uvicorn

    from or_mcp.http_app import PATH, Server, build_app

    program = Program(settings)
    config = uvicorn.Config(
        build_app(program), host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=10
    )
    server = Server(config)
    print(f"or-mcp: MCP at http://{host}:{port}{PATH}", file=sys.stderr)  # noqa: T201

    def stop() -> None:
        server.should_exit = True

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_on_signal, program, stop)
        # uvicorn says itself that a port is taken, and would then end the program with a code of its own.
        with suppress(SystemExit):
            await server.serve()
        tasks.cancel_scope.cancel()
    if not server.started:
        raise SystemExit(1)


async def _on_signal(program: Program, stop: Callable[[], None]) -> None:
    """A signal ends the program in good order; a second one finds no handler, and ends it at once."""
    if sys.platform == "win32":
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        await anext(signals)
    program.leave()
    stop()
