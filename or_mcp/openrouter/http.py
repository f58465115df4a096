"""The only place that speaks HTTP: one pool, headers, retries, and failures of the tree instead of exceptions."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import cast
from urllib.request import getproxies

import anyio
import anyio.to_thread
import httpx2

from or_mcp.openrouter.errors import ConnectionFailed, Failure, StreamBroken, from_reply
from or_mcp.openrouter.identity import Identity
from or_mcp.openrouter.network import Transport
from or_mcp.openrouter.retry import ATTEMPTS, again, read_retry_after
from or_mcp.openrouter.sse import EventTooLarge
from or_mcp.openrouter.turns import Turns

# Vectors of a hundred texts are some megabytes, and a picture tens: more is no answer.
REPLY_LIMIT = 64 * 1024 * 1024
# A stream is never silent for long: upstream sends keep-alives, so this much silence means it is dead.
_SILENCE_SECONDS = 300.0
# What is left after the last event is on its way already, or is not coming.
_LAST_BYTES_SECONDS = 0.05
# Connecting is tried again after 10 s; a minute is for a body of thirty megabytes on a slow line.
_TIMEOUT = httpx2.Timeout(connect=10.0, read=_SILENCE_SECONDS, write=60.0, pool=None)
# The defaults (100 connections, 5 s for a place) would fail a burst of long calls.
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=128)

Send = Callable[[], Awaitable[httpx2.Response]]


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole reply."""

    body: bytes
    generation_id: str | None


class OpenReply:
    """A reply whose body is still arriving: as events, or at once when upstream chose not to stream."""

    def __init__(self, response: httpx2.Response, turns: Turns) -> None:
        self._response = response
        self.turns = turns
        self.generation_id = response.headers.get("x-generation-id")
        self.streamed = response.headers.get("content-type", "").startswith("text/event-stream")
        self._until = math.inf
        self.is_whole = False

    @property
    def would_do(self) -> bool:
        """Whether nothing that matters can be missing."""
        return self._until < math.inf

    def expect(self, seconds: float) -> None:
        """What came would do; what may follow is waited for so long, and its breaking is no trouble any more."""
        self._until = anyio.current_time() + seconds

    def enough(self) -> None:
        """Nothing is missing: whatever follows is no event."""
        # A connection that was read to its end can serve the next call; a slow end is not worth waiting for.
        self.is_whole = True
        self.expect(_LAST_BYTES_SECONDS)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the body as they arrive, until nothing more is expected.

        Raises:
            StreamBroken: The connection broke before its end.
        """
        # Decoding takes several layers more, which a stream that is not encoded does not need.
        encoded = "content-encoding" in self._response.headers
        chunks = aiter(
            self._response.aiter_bytes() if encoded else cast("httpx2.AsyncByteStream", self._response.stream)
        )
        while True:
            chunk = None
            try:
                with nullcontext() if self._until == math.inf else anyio.CancelScope(deadline=self._until):
                    chunk = await anext(chunks, None)
            except httpx2.HTTPError as error:
                raise self.broken(error) from error
            if chunk is None:
                return
            yield chunk

    @property
    def content_type(self) -> str:
        """What its bytes are."""
        return self._response.headers.get("content-type", "")

    async def body(self) -> bytes:
        """The whole body.

        Raises:
            StreamBroken: The connection broke, or the body is too large to be real.
        """
        try:
            return await _read_all(self._response)
        except (httpx2.HTTPError, EventTooLarge) as error:
            raise self.broken(error) from error

    def broken(self, error: Exception) -> StreamBroken:
        """The failure of an answer that has not come to its end."""
        return StreamBroken(
            f"The answer stopped before its end ({_describe(error)})",
            generation_id=self.generation_id,
            may_be_billed=True,
        )


class Http:
    """The connection to one API, shared by every call. `open` must have finished before the first request."""

    def __init__(self, base_url: str, identity: Identity, heard: Callable[[str, float], None] | None = None) -> None:
        self._base_url = base_url
        self._identity = identity
        self._heard = heard
        self._client: httpx2.AsyncClient | None = None
        self._opening = anyio.Lock()
        self._heads: dict[str, _Head] = {}
        self._turns = Turns()

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def client(self) -> httpx2.AsyncClient:
        """The pool, built on first use in a thread: loading the certificates takes 50 ms."""
        if self._client is None:
            async with self._opening:
                if self._client is None:
                    try:
                        self._client = await anyio.to_thread.run_sync(self._build)
                    except (OSError, ValueError, httpx2.InvalidURL) as error:
                        # Its surroundings were good when this program began.
                        raise ConnectionFailed(f"No connection can be built here ({_describe(error)})") from error
        return self._client

    def _build(self) -> httpx2.AsyncClient:
        # HTTP/1.1 alone: over HTTP/2, httpcore2 never tells upstream that somebody has left, and what was cancelled
        # would be paid for; and whatever breaks the one connection would break every call in flight.
        # Where proxies are set, httpx2 knows to whom they apply, and how to go through them.
        transport = None if any(getproxies().values()) else Transport(_LIMITS)
        return httpx2.AsyncClient(
            base_url=self._base_url,
            headers=self._identity.headers(),
            timeout=_TIMEOUT,
            limits=_LIMITS,
            transport=transport,
        )

    async def get(self, path: str, key: str | None, params: Mapping[str, str] | None = None) -> HttpReply:
        """Read something. Nothing is spent, so passing trouble is retried."""
        async with self.download(path, key, params) as reply:
            return HttpReply(await reply.body(), reply.generation_id)

    @asynccontextmanager
    async def download(
        self, path: str, key: str | None, params: Mapping[str, str] | None = None
    ) -> AsyncGenerator[OpenReply]:
        """The same of something large, as it arrives: what breaks after its beginning is not retried."""
        client = await self.client()
        request = client.build_request("GET", path, params=params, headers=_authorization(key))
        async with self._sent(partial(client.send, request, stream=True, follow_redirects=True), path) as response:
            yield OpenReply(response, self._turns)

    @asynccontextmanager
    async def post(
        self, path: str, key: str | None, body: Iterator[bytes], attempts: int = ATTEMPTS
    ) -> AsyncGenerator[OpenReply]:
        """Ask for something that costs money; leaving the block closes the connection, which cancels the work."""
        client = await self.client()
        content: list[bytes] = []
        for piece in body:
            await self._turns.take()
            content.append(piece)
        request = self._head(client, path).request(key, content)
        # A redirected POST would arrive as a GET, or be paid for somewhere else.
        send = partial(client.send, request, stream=True, follow_redirects=False)
        async with self._sent(send, path, paid=True, attempts=attempts) as response:
            yield OpenReply(response, self._turns)

    def _head(self, client: httpx2.AsyncClient, path: str) -> _Head:
        """What all requests to a path begin with: working it out takes longer than sending it."""
        if path not in self._heads:
            headers = {"Content-Type": "application/json", "X-OpenRouter-Metadata": "enabled"}
            built = client.build_request("POST", path, headers=headers)
            kept = [(name, value) for name, value in built.headers.raw if name.lower() != b"content-length"]
            self._heads[path] = _Head(built.url, tuple(kept))
        return self._heads[path]

    @asynccontextmanager
    async def _sent(
        self, send: Send, path: str, *, paid: bool = False, attempts: int = ATTEMPTS
    ) -> AsyncGenerator[httpx2.Response]:
        began = anyio.current_time()
        response = await again(partial(_attempt, send, paid=paid), paid=paid, attempts=attempts)
        if self._heard is not None:
            self._heard(f"/{path.split('/')[1]}", anyio.current_time() - began)
        try:
            yield response
        finally:
            with anyio.move_on_after(1, shield=True):
                await response.aclose()


@dataclass(frozen=True, slots=True)
class _Head:
    """What is the same in all requests to one path."""

    url: httpx2.URL
    headers: tuple[tuple[bytes, bytes], ...]

    def request(self, key: str | None, content: Sequence[bytes]) -> httpx2.Request:
        """A request with this key and this body."""
        own = {"Content-Length": str(sum(map(len, content))), **_authorization(key)}
        headers = [*self.headers, *((name.encode(), value.encode()) for name, value in own.items())]
        extensions = {"timeout": _TIMEOUT.as_dict()}
        return httpx2.Request("POST", self.url, headers=headers, stream=_Content(content), extensions=extensions)


class _Content(httpx2.AsyncByteStream):
    """A body, which can be sent once more."""

    def __init__(self, content: Sequence[bytes]) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._content:
            yield piece


def _authorization(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


async def _attempt(send: Send, *, paid: bool) -> httpx2.Response:
    try:
        response = await send()
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol) as error:
        raise ConnectionFailed(f"OpenRouter could not be reached ({_describe(error)})") from error
    except httpx2.HTTPError as error:
        # The request was on its way when the connection broke: upstream may be working on it.
        words = f"The connection broke before OpenRouter answered ({_describe(error)})"
        raise ConnectionFailed(words, may_be_billed=paid) from error
    if response.status_code < 300:
        return response
    raise await _refusal(response)


async def _refusal(response: httpx2.Response) -> Failure:
    generation_id = response.headers.get("x-generation-id")
    try:
        body = await _read_all(response)
    except (httpx2.HTTPError, EventTooLarge):
        body = b""
    finally:
        await response.aclose()
    retry_after = read_retry_after(response.headers)
    return from_reply(response.status_code, body, retry_after=retry_after, generation_id=generation_id)


async def _read_all(response: httpx2.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > REPLY_LIMIT:
            raise EventTooLarge
        parts.append(chunk)
    return b"".join(parts)


def _describe(error: Exception) -> str:
    if isinstance(error, EventTooLarge):
        return "it is larger than any real answer"
    if isinstance(error, httpx2.ReadTimeout):
        return f"silent for {_SILENCE_SECONDS:.0f} s"
    text = str(error) or type(error).__name__
    return text.split("\n", 1)[0][:120]
