"""MCP over Streamable HTTP, as an ASGI app: `uvicorn --workers 4 or_mcp.http_app:app`.

`web/` holds the parts; here they are put together. A request passes, from outside to inside: `RequestWatch` (log,
counts), `Drain` (the end of the process), the bearer, `Throttle`, and the protocol.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp

from or_mcp.parts import Watchers
from or_mcp.server import Program
from or_mcp.settings import Settings, SettingsError, read_settings
from or_mcp.web.doors import (
    METADATA,
    PATH,
    Door,
    LoopbackOnly,
    PlainAddresses,
    TokenVerifier,
    known_hosts,
    metadata,
    no_sign_in,
)
from or_mcp.web.drain import Drain
from or_mcp.web.health import Health, MetricsPage, Readiness
from or_mcp.web.keys import Keys
from or_mcp.web.limits import BODY_LIMIT, Throttle
from or_mcp.web.metrics import Metrics
from or_mcp.web.sessions import Sessions
from or_mcp.web.watch import CallWatch, RequestWatch, log_as_json

logger = logging.getLogger(__name__)

# What uvicorn takes for a start that would fail the same way every time.
_CANNOT_START = 3


def counting(metrics: Metrics, died: Callable[[], None]) -> Watchers:
    """Whoever counts what happens in a program, and ends the process when it has failed."""
    return Watchers(
        heard=lambda path, seconds: metrics.took("or_mcp_upstream_seconds", seconds, path=path),
        spent=lambda tool, cost: metrics.count("or_mcp_spend_usd_total", cost, tool=tool),
        lost=lambda: metrics.count("or_mcp_runs_lost_total"),
        died=died,
    )


def build_app(program: Program, metrics: Metrics) -> Starlette:
    """The ASGI app: `/mcp`, and what operators ask. Only a program that is alone gives older hosts a session."""
    settings, drain = program.settings, Drain(program)
    program.server.middleware.append(CallWatch(metrics))
    ways = holding, one_by_one, at_once = [
        StreamableHTTPSessionManager(
            program.server,
            stateless=stateless,
            json_response=plain,
            security_settings=known_hosts(settings),
            max_request_body_size=BODY_LIMIT,
        )
        for stateless, plain in ((not program.alone, False), (True, False), (True, True))
    ]
    quick = frozenset(name for name, tool in program.tools.items() if tool.is_quick)
    routes = [
        Route(PATH, _guarded(Sessions(holding, one_by_one, at_once, quick), program)),
        Route("/healthz", Health(program).answer),
        Route("/readyz", Readiness(program, lambda: drain.draining).answer),
        Route("/metrics", MetricsPage(program, metrics, settings).answer),
        *(_sign_in_routes() if settings.http_auth != "none" else []),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with AsyncExitStack() as running:
            for way in ways:
                await running.enter_async_context(way.run())
            await running.enter_async_context(drain.listening())
            yield

    paths = frozenset(route.path for route in routes)
    app = Starlette(routes=routes, lifespan=lifespan, middleware=_middleware(settings, metrics, drain, paths))
    app.state.drain = drain
    app.state.settings = settings
    return app


def _sign_in_routes() -> list[Route]:
    told = [Route(f"{METADATA}{suffix}", metadata) for suffix in ("", PATH)]
    return [*told, Route("/register", no_sign_in, methods=["POST"])]


def _guarded(app: ASGIApp, program: Program) -> ASGIApp:
    settings = program.settings
    if settings.http_auth == "none":
        return LoopbackOnly(Throttle(app, bounded=False))
    keys = Keys(program) if settings.http_auth == "passthrough" else None
    return Door(Throttle(app, settings.http_requests_per_minute), settings, keys)


def _middleware(settings: Settings, metrics: Metrics, drain: Drain, paths: frozenset[str]) -> list[Middleware]:
    known = [
        Middleware(AuthenticationMiddleware, backend=BearerAuthBackend(TokenVerifier(settings))),
        Middleware(AuthContextMiddleware),
    ]
    return [
        Middleware(RequestWatch, metrics=metrics, paths=paths),
        Middleware(PlainAddresses),
        Middleware(drain.watching),
        *(known if settings.http_auth != "none" else []),
    ]


@cache
def _app() -> Starlette:
    metrics = Metrics()
    try:
        settings = read_settings(os.environ, over_http=True)
        # Whoever runs this process puts another in its place. It is one of several, as far as it knows.
        program = Program(settings, counting(metrics, lambda: signal.raise_signal(signal.SIGTERM)), alone=False)
    except SettingsError as error:
        print(f"or-mcp: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(_CANNOT_START) from None
    log_as_json(settings.log_level, "or_mcp")
    return build_app(program, metrics)


def __getattr__(name: str) -> Any:
    # Built when it is asked for: importing this module must not read the environment.
    if name == "app":
        return _app()
    raise AttributeError(name)
