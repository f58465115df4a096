"""A server of the older era over HTTP, in plain ASGI: what comes of calls, and of listening to it, is up to a test."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Answer = Callable[["Reply", Message], Awaitable[None]]
NOTICE = b'data: {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}\n\n'


class Reply:
    """A reply, piece by piece."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def begin(self, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        told = {"content-type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
        raw = [(name.encode(), value.encode()) for name, value in told.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def more(self, data: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def whole(self, body: Message | None = None, status: int = 200, **headers: str) -> None:
        await self.begin(status, **headers)
        await self.more(b"" if body is None else json.dumps(body).encode(), more=False)


def said(request: Message, *blocks: str) -> Message:
    """The result of a call."""
    content = [{"type": "text", "text": block} for block in blocks]
    return {"jsonrpc": "2.0", "id": request["id"], "result": {"content": content}}


async def _nothing(reply: Reply, request: Message) -> None:
    del request
    await reply.whole(status=405)


def older(call: Answer, listen: Answer = _nothing) -> Any:
    """The server: what it does when a tool is called, and when it is listened to."""
    info: Message = {"capabilities": {"tools": {}}, "serverInfo": {"name": "older", "version": "1"}}
    tools: list[Message] = [
        {"name": "odd", "inputSchema": {"type": "object"}},
        {"name": "good", "inputSchema": {"type": "object"}},
    ]

    async def app(scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        if scope["type"] != "http":
            return
        body, reply = (await receive()).get("body") or b"{}", Reply(send)
        request = json.loads(body)
        results: Message = {
            "initialize": {"protocolVersion": "2025-11-25", **info},
            "tools/list": {"tools": tools},
        }
        result = results.get(request.get("method", ""))
        if scope["method"] == "GET":
            await listen(reply, request)
        elif result is not None:
            await reply.whole({"jsonrpc": "2.0", "id": request["id"], "result": result}, mcp_session_id="one")
        elif request.get("params", {}).get("name") == "good":
            await reply.whole(said(request, "all is well"))
        elif request.get("method") == "tools/call":
            await call(reply, request)
        elif "id" in request:
            await reply.whole({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32601, "message": "no"}})
        else:
            await reply.whole(status=202)

    return app
