"""How much one caller may ask at once, and how long it may take to ask and to listen."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

import anyio
from mcp.server.transport_security import DEFAULT_MAX_REQUEST_BODY_SIZE as BODY_LIMIT
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from or_mcp.web.doors import subject_of

AT_ONCE = 500
_BODY_SECONDS = 30.0
_LISTEN_SECONDS = 60.0
_REMEMBERED = 10_000


class TooSlow(Exception):
    """The client does not read what it asked for."""


@dataclass(slots=True)
class _Caller:
    left: float
    at: float
    under_way: int = 0


class Limits:
    """A bucket of requests per caller: it fills in a minute, and empties at once if it must.

    What is counted is counted in this process; behind a balancer every process counts for itself.
    """

    def __init__(self, app: ASGIApp, per_minute: int) -> None:
        self._app = app
        self._per_minute = per_minute
        self._callers: OrderedDict[str, _Caller] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or say when to come again."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = self._caller(subject_of(scope))
        refusal = self._refusal(caller)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        caller.under_way += 1
        try:
            body = await _read(scope, receive)
            if isinstance(body, Response):
                await body(scope, receive, send)
                return
            await self._app(scope, replay(body, receive), _patient(send))
        except TooSlow:
            return
        finally:
            caller.under_way -= 1

    def _caller(self, subject: str) -> _Caller:
        now = anyio.current_time()
        caller = self._callers.setdefault(subject, _Caller(self._per_minute, now))
        self._callers.move_to_end(subject)
        caller.left = min(self._per_minute, caller.left + (now - caller.at) * self._per_minute / 60)
        caller.at = now
        while len(self._callers) > _REMEMBERED:
            self._callers.popitem(last=False)
        return caller

    def _refusal(self, caller: _Caller) -> Response | None:
        if caller.under_way >= AT_ONCE:
            return _come_again(1, f"{AT_ONCE} requests of yours are under way; wait for one to end")
        if not self._per_minute:
            return None
        if caller.left < 1:
            seconds = math.ceil((1 - caller.left) * 60 / self._per_minute)
            return _come_again(seconds, f"more than {self._per_minute} requests a minute; come again in {seconds} s")
        caller.left -= 1
        return None


def _come_again(seconds: int, words: str) -> Response:
    return JSONResponse({"error": "rate_limited", "error_description": words}, 429, {"Retry-After": str(seconds)})


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
