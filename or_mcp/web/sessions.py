"""Older hosts, with and without a session.

The 2025 protocol has sessions, and the SDK keeps each in the process that began it. Behind a balancer without
stickiness a session's requests also reach other processes: those serve them one by one, for the bearer they bring.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any, cast

from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from or_mcp.web.limits import replay

# Their ids are some megabytes; a session that is forgotten is served one by one.
_REMEMBERED = 100_000
_SESSION = MCP_SESSION_ID_HEADER.lower().encode()
_VERSION = MCP_PROTOCOL_VERSION_HEADER.lower().encode()
_INITIALIZE = "initialize"
# A greeting is some hundred bytes.
_LONGEST_GREETING = 64 * 1024


class Sessions:
    """In front of the SDK's ways to serve older hosts; newer ones pass through."""

    def __init__(
        self,
        holding: StreamableHTTPSessionManager,
        one_by_one: StreamableHTTPSessionManager,
        at_once: StreamableHTTPSessionManager,
        quick: frozenset[str],
    ) -> None:
        self._holding = holding
        self._one_by_one = one_by_one
        self._at_once = at_once
        self._quick = quick
        self._begun_here: OrderedDict[bytes, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        headers = dict(scope["headers"])
        version = headers.get(_VERSION, b"").decode("latin-1")
        session = headers.get(_SESSION)
        if (version and version not in HANDSHAKE_PROTOCOL_VERSIONS) or session in self._begun_here:
            await self._holding.handle_request(scope, receive, send)
        elif scope["method"] != "POST":
            # There is no stream to listen to, and no session to end.
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
        elif session is not None:
            await self._one_by_one.handle_request(scope, receive, send)
        else:
            await self._without_session(scope, receive, send)

    async def _without_session(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = await receive()
        again = replay(first.get("body", b""), receive)
        method, tool = _asked(first.get("body", b""))
        if method != _INITIALIZE:
            # What costs nothing and is soon there needs no stream, by whose end a host stops what it pays for.
            serving = self._at_once if tool in self._quick else self._one_by_one
            await serving.handle_request(scope, again, send)
            return

        async def remember(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun = dict(message["headers"]).get(_SESSION)
                if begun is not None:
                    self._begun_here[begun] = None
                    while len(self._begun_here) > _REMEMBERED:
                        self._begun_here.popitem(last=False)
            await send(message)

        await self._holding.handle_request(scope, again, remember)


def _asked(body: bytes) -> tuple[Any, Any]:
    """The method of a message, and which tool it calls."""
    # Reading a large body once more would take as long as reading it at all.
    if len(body) > _LONGEST_GREETING:
        return None, None
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None, None
    if not isinstance(message, dict):
        return None, None
    method, params = (cast("dict[str, Any]", message).get(name) for name in ("method", "params"))
    called = cast("dict[str, Any]", params).get("name") if isinstance(params, dict) else None
    return method, called if isinstance(called, str) else None
