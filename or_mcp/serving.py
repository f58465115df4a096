"""Running the server: on stdio or over HTTP, until the host leaves or a signal comes."""

from __future__ import annotations

import signal
import sys

import anyio

from or_mcp.server import Program
from or_mcp.settings import Settings
from or_mcp.stdio import open_stdio


async def serve_stdio(settings: Settings) -> None:
    """Serve one host. Runs in flight when it leaves get some time to be recorded."""
    program = Program(settings)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_leave_on_signal, program, tasks.cancel_scope)
        async with open_stdio(at_end=program.leave) as (incoming, outgoing):
            await program.server.run(incoming, outgoing, program.server.create_initialization_options())
        tasks.cancel_scope.cancel()


async def serve_http(settings: Settings, host: str, port: int) -> None:
    """Serve many hosts."""
    import uvicorn

    from or_mcp.http_app import PATH, build_app

    program = Program(settings)
    config = uvicorn.Config(
        build_app(program), host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=10
    )
    server = uvicorn.Server(config)
    print(f"or-mcp: MCP at http://{host}:{port}{PATH}", file=sys.stderr)  # noqa: T201
    try:
        await server.serve()
    except SystemExit:
        # uvicorn has said that the port is taken; 3 is its own code for that.
        raise SystemExit(1) from None


async def _leave_on_signal(program: Program, scope: anyio.CancelScope) -> None:
    """A signal ends the program in good order; a second one finds no handler, and ends it at once."""
    if sys.platform == "win32":
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        await anext(signals)
    program.leave()
    scope.cancel()
