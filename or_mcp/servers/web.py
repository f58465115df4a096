"""HTTP with a server: no reply of its fills memory or holds us up, whether it has no end or was packed small."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn, cast

import httpx2
from mcp.client.streamable_http import MCP_SESSION_ID, streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from or_mcp.servers.bounds import LONGEST, TOO_LARGE, Noise, is_too_large, parts_of
from or_mcp.servers.file import Server

# An event has two lines or more. A stream that ends is opened again, as soon as its server likes: each counts as some.
_LINES, _A_STREAM = 2, 500


@asynccontextmanager
async def over_http(
    server: Server, noise: Noise, refuse: Callable[[str], None], over: Callable[[], None]
) -> AsyncGenerator[Any]:
    """The streams of a session.

    `refuse` is told of a reply that is not read, as the SDK says only that the connection closed; `over`, that nothing
    more can come of this session.
    """
    guard = _Guard(noise, refuse, over)
    client = create_mcp_http_client({**server.headers, "accept-encoding": "identity"})
    client.event_hooks = {"request": [guard.asked], "response": [guard.answered]}
    opened = streamable_http_client(server.url, http_client=client, max_sse_event_size=LONGEST)
    async with client, opened as streams:
        yield streams


class _Guard:
    """What one server answers."""

    def __init__(self, noise: Noise, refuse: Callable[[str], None], over: Callable[[], None]) -> None:
        self._noise = noise
        self._refuse = refuse
        self._over = over

    async def asked(self, request: httpx2.Request) -> None:
        """A request is on its way."""
        if request.method == "GET":
            self.heard(_A_STREAM)

    async def answered(self, response: httpx2.Response) -> None:
        """A reply has begun."""
        status = response.status_code
        if status in (401, 403):
            self._refuse(f"it answers {status}: it wants other headers than the file has")
        elif status == 404 and MCP_SESSION_ID in response.request.headers:
            self._refuse("it no longer knows our session")
            self._over()
        elif status >= 500:
            self._refuse(f"it answers {status}")
        is_packed = response.headers.get("content-encoding", "identity") != "identity"
        response.stream = _Bounded(cast("httpx2.AsyncByteStream", response.stream), self, is_packed=is_packed)

    def heard(self, count: int) -> None:
        """So much came that may be more than it was asked for.

        Raises:
            StreamError: It is.
        """
        if problem := self._noise.heard(count):
            self._over()
            self.refused(problem)

    def refused(self, problem: str) -> NoReturn:
        """What comes is not read.

        Raises:
            StreamError: Always. It is what the SDK takes for the trouble of one reply alone.
        """
        self._refuse(problem)
        raise httpx2.StreamError(problem)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, guard: _Guard, *, is_packed: bool) -> None:
        self._stream = stream
        self._guard = guard
        self._is_packed = is_packed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._is_packed:
            self._guard.refused("it sent a packed message, which nobody asked for")
        size = parts = lines = 0
        async for chunk in self._stream:
            size += len(chunk)
            parts += parts_of(chunk)
            if is_too_large(size, parts):
                self._guard.refused(TOO_LARGE)
            lines += max(chunk.count(b"\n"), chunk.count(b"\r"))
            self._guard.heard(lines // _LINES)
            lines %= _LINES
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
