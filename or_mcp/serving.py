"""Running the server: on stdio or over HTTP, until the host leaves or a signal comes."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio

from or_mcp.everything import import_everything
from or_mcp.server import Program
from or_mcp.settings import Settings
from or_mcp.starting.starter import Begun
from or_mcp.stdio import open_stdio

if TYPE_CHECKING:
    import uvicorn

logger = logging.getLogger(__name__)

# Calls have been answered by then: this is for connections that only listen.
_GRACE_SECONDS = 2


async def serve_stdio(settings: Settings, begun: Begun) -> None:
    """Serve one host from where its session stands. Runs in flight when it leaves get some time to be recorded."""
    program = Program(settings)

    async def stop() -> None:
        program.leave()
        tasks.cancel_scope.cancel()

    with _ending(program):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_on_signal, stop)
            tasks.start_soon(import_everything)
            async with open_stdio(program.leave, begun) as (incoming, outgoing):
                await program.server.run(incoming, outgoing, program.server.create_initialization_options())
            tasks.cancel_scope.cancel()


async def serve_http(settings: Settings, host: str, port: int, listening: Callable[[int], None]) -> None:
    """Serve many hosts; `listening` is told the port once it is open.

    Calls in flight when a signal comes get some time to be answered.
    """
    from or_mcp.http_app import build_app, counting
    from or_mcp.web.doors import is_loopback
    from or_mcp.web.metrics import Metrics
    from or_mcp.web.protocol import Server

    def end() -> None:
        server.should_exit = True

    metrics = Metrics()
    # Whoever is reached from other machines may be one of several behind a balancer.
    program = Program(settings, counting(metrics, end), alone=is_loopback(host))
    app = build_app(program, metrics)
    server = Server(_config(app, host, port), listening)

    async def stop() -> None:
        # Until all calls are answered the port stays open, so that probes and callers hear of it.
        app.state.drain.begin()
        await app.state.drain.ended()
        end()

    with _ending(program):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_on_signal, stop)
            # uvicorn says itself that a port is taken, and would then end the program with a code of its own.
            with suppress(SystemExit):
                await server.serve()
            tasks.cancel_scope.cancel()
    if not server.started:
        raise SystemExit(1)


def serve_workers(host: str, port: int, workers: int, listening: Callable[[int], None]) -> int:
    """The same in several processes behind one port. One that dies is replaced; the others end what it left."""
    from uvicorn.supervisors import Multiprocess

    from or_mcp.web.metrics import counted_together

    config = _config("or_mcp.http_app:app", host, port)
    config.workers = workers
    with closing(config.bind_socket()) as bound, counted_together():
        listening(bound.getsockname()[1])
        Multiprocess(config, sockets=[bound]).run()
    return 0


def _config(app: Any, host: str, port: int) -> uvicorn.Config:
    import uvicorn

    from or_mcp.web.protocol import quickest

    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        http=quickest(),
    )


async def _on_signal(stop: Callable[[], Awaitable[None]]) -> None:
    """A signal ends the program in good order; a second one finds no handler, and ends it at once."""
    if sys.platform == "win32":
        return
    heard = [signal.SIGTERM, signal.SIGINT]
    # Whoever starts a program with `nohup` wants it to outlive its terminal.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        heard.append(signal.SIGHUP)
    with anyio.open_signal_receiver(*heard) as signals:
        await anext(signals)
    await stop()


@contextmanager
def _ending(program: Program) -> Generator[None]:
    """A program that fails says so in one line and in its exit code, and does not live on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        program.failure = program.failure or error
    if program.failure is not None:
        logger.critical("or-mcp failed", exc_info=program.failure)
        print("or-mcp: it failed and has ended; what was paid for is kept, see `or-mcp runs`", file=sys.stderr)  # noqa: T201
        raise SystemExit(1)
