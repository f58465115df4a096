"""How much one caller may ask at once, and how long it may take to ask and to listen."""

from __future__ import annotations

import math
from collections import Counter

import anyio
from mcp.server.transport_security import DEFAULT_MAX_REQUEST_BODY_SIZE as BODY_LIMIT
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from or_mcp.web.bodies import refused
from or_mcp.web.buckets import Buckets
from or_mcp.web.doors import subject_of
from or_mcp.web.keys import come_again

# Of one caller in one process: more than any program has use for, and far from what a process can carry.
AT_ONCE = 500
# The largest body on a slow line; and how long somebody who only listens holds a place.
_BODY_SECONDS = 30.0
_LISTEN_SECONDS = 60.0
# What a caller asks is kept for days, several times over.
_BYTES, _BYTES_SECONDS = 256 * 1024 * 1024, 3_600


class TooSlow(Exception):
    """The client does not read what it asked for."""


class Throttle:
    """How often and how much each caller may ask. Who is not asked who they are may ask without end."""

    def __init__(self, app: ASGIApp, per_minute: int = 0, *, bounded: bool = True) -> None:
        self._app = app
        self._per_minute = per_minute
        self._requests = Buckets(per_minute, 60) if per_minute else None
        self._bytes = Buckets(_BYTES, _BYTES_SECONDS) if bounded else None
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or say when to come again."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = subject_of(scope)
        refusal = self._refusal(caller)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        self._under_way[caller] += 1
        try:
            await self._serve(caller, scope, receive, send)
        except TooSlow:
            return
        finally:
            self._under_way[caller] -= 1
            if not self._under_way[caller]:
                del self._under_way[caller]

    async def _serve(self, caller: str, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(scope, receive)
        if isinstance(body, bytes):
            refusal = self._too_much(caller, len(body)) or await refused(body)
            if refusal is None:
                await self._app(scope, replay(body, receive), _patient(send))
                return
            body = refusal
        await body(scope, receive, send)

    def _refusal(self, caller: str) -> Response | None:
        if self._under_way[caller] >= AT_ONCE:
            return come_again(1, f"{AT_ONCE} requests of yours are under way; wait for one to end")
        wait = self._requests.take(caller) if self._requests else 0
        words = f"more than {self._per_minute} requests a minute; come again in {math.ceil(wait)} s"
        return come_again(wait, words) if wait else None

    def _too_much(self, caller: str, size: int) -> Response | None:
        wait = self._bytes.take(caller, size) if self._bytes else 0
        words = f"more than {_BYTES:,} bytes an hour; come again in {math.ceil(wait)} s"
        return come_again(wait, words) if wait else None


async def _read(scope: Scope, receive: Receive) -> bytes | Response:
    """The whole body, or how to answer one that is too large or too slow."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > BODY_LIMIT:
        return _too_large()
    body = bytearray()
    with anyio.move_on_after(_BODY_SECONDS):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return Response(status_code=400)
            body += message.get("body", b"")
            if len(body) > BODY_LIMIT:
                return _too_large()
            if not message.get("more_body", False):
                return bytes(body)
    words = f"the request's body had not arrived after {_BODY_SECONDS:.0f} s"
    return JSONResponse({"error": "too_slow", "error_description": words}, 408, {"Connection": "close"})


def _too_large() -> Response:
    words = f"a request may have {BODY_LIMIT:,} bytes; give large texts as files or in several calls"
    return JSONResponse({"error": "too_large", "error_description": words}, 413, {"Connection": "close"})


def replay(body: bytes, receive: Receive) -> Receive:
    """Receive a body that was read already, then whatever comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _patient(send: Send) -> Send:
    async def patiently(message: Message) -> None:
        with anyio.move_on_after(_LISTEN_SECONDS):
            await send(message)
            return
        raise TooSlow

    return patiently
