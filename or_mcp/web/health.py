"""Whether this process lives, whether it should be sent work, and what is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import anyio
from mcp.server.transport_security import TransportSecurityMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from or_mcp.calls.call import Parts
from or_mcp.openrouter.errors import Failure
from or_mcp.runs import ledger
from or_mcp.server import Program
from or_mcp.settings import Settings
from or_mcp.web.doors import is_one_of, known_hosts
from or_mcp.web.metrics import DIRECTORY, MEDIA_TYPE, Metrics

# Probes of several balancers come every few seconds; upstream is asked once for all of them, and must not keep them.
_FRESH_SECONDS = 5.0
_PATIENCE_SECONDS = 3.0
_FLEET_PATIENCE_SECONDS = 10.0
_UNREACHABLE = ("connection_failed", "upstream_failed", "deadline")


@dataclass(frozen=True, slots=True)
class Health:
    """Whether this process lives."""

    program: Program

    async def answer(self, request: Request) -> Response:
        """200, or 500 where it is ending because it failed."""
        del request
        return PlainTextResponse("ok\n") if self.program.failure is None else PlainTextResponse("failed\n", 500)


@dataclass(slots=True)
class Readiness:
    """Whether this process should be sent work: its run store can be used, and OpenRouter reached."""

    program: Program
    is_draining: Callable[[], bool]
    _known: dict[str, str] | None = None
    _asked: float = 0.0
    _looking: anyio.Lock = field(default_factory=anyio.Lock)

    async def answer(self, request: Request) -> Response:
        """200, or 503 with what is wrong."""
        del request
        parts = self.program.parts
        if parts is None or self.is_draining():
            return JSONResponse({"ready": False, "process": "draining" if parts else "starting"}, 503)
        known = {"store": _store(parts), **await self._look(parts)}
        ready = "unusable" not in known.values() and "unreachable" not in known.values()
        return JSONResponse({"ready": ready, **known}, 200 if ready else 503)

    async def _look(self, parts: Parts) -> dict[str, str]:
        """What is known of it: asked once, however many want to know."""
        async with self._looking:
            if self._known is None or anyio.current_time() - self._asked > _FRESH_SECONDS:
                self._known = {"upstream": await _upstream(parts)}
                self._asked = anyio.current_time()
            return self._known


def _store(parts: Parts) -> str:
    store = parts.runner.store
    if store.is_off:
        return "memory only"
    # The hosts of a fleet would all leave the balancer while their database fails over.
    patience = _FLEET_PATIENCE_SECONDS if store.is_fleet else 0.0
    return "unusable" if store.away_seconds > patience else "ok"


async def _upstream(parts: Parts) -> str:
    with anyio.move_on_after(_PATIENCE_SECONDS):
        try:
            await parts.upstream.key_status()
        except Failure as failure:
            # Whoever refuses a key can be reached.
            return "unreachable" if failure.kind in _UNREACHABLE else "ok"
        return "ok"
    return "unreachable"


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """What Prometheus reads. Where callers are asked who they are, it needs one of the operator's tokens."""

    program: Program
    metrics: Metrics
    settings: Settings

    async def answer(self, request: Request) -> Response:
        """The counts of all processes behind this port."""
        refusal = await TransportSecurityMiddleware(known_hosts(self.settings)).validate_request(request)
        if refusal is not None:
            return refusal
        bearer = request.headers.get("authorization", "").partition(" ")[2].strip()
        if self.settings.http_auth != "none" and not is_one_of(bearer, self.settings.http_tokens):
            words = "metrics are for the operator: send one of OR_MCP_HTTP_TOKENS as Authorization: Bearer\n"
            return PlainTextResponse(words, 401, {"WWW-Authenticate": "Bearer"})
        if not self.metrics.are_whole:
            words = f"this is one of several processes: start them with {DIRECTORY} naming an empty directory\n"
            return PlainTextResponse(words, 503)
        if self.program.parts is not None:
            await self._look(self.program.parts)
        return PlainTextResponse(self.metrics.text(), media_type=MEDIA_TYPE)

    async def _look(self, parts: Parts) -> None:
        store = parts.runner.store
        self.metrics.set("or_mcp_runs_live", parts.runner.live_count)
        self.metrics.set("or_mcp_store_queue", store.waiting)
        self.metrics.set("or_mcp_store_away", store.away_seconds > 0)
        if not store.away_seconds:
            spent = await store.read(ledger.charged_today_by_payer)
            self.metrics.set("or_mcp_spent_today_usd", sum(spent, Decimal(0)))
