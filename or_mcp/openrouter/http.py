"""The only place that speaks HTTP: one pool, headers, retries, and failures of the tree instead of exceptions."""

from __future__ import annotations

import math
import platform
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time

import anyio
import anyio.to_thread
import httpx2

from or_mcp.openrouter.errors import ConnectionFailed, Failure, StreamBroken, UpstreamFailed, from_reply
from or_mcp.openrouter.retry import ATTEMPTS, wait_before_retry
from or_mcp.openrouter.sse import EventReader, EventTooLarge

# Vectors of a hundred texts are some megabytes, and a picture tens: more is no answer.
REPLY_LIMIT = 64 * 1024 * 1024
_DONE = "[DONE]"
# A stream is never silent for long: upstream sends keep-alives, so this much silence means it is dead.
_SILENCE_SECONDS = 300.0
# What is left after the last event is on its way already, or is not coming.
_LAST_BYTES_SECONDS = 0.05
# Connecting is tried again after 10 s; a minute is for a body of thirty megabytes on a slow line.
_TIMEOUT = httpx2.Timeout(connect=10.0, read=_SILENCE_SECONDS, write=60.0, pool=None)
# The defaults (100 connections, 5 s for a place) would fail a burst of long calls.
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=128)


@dataclass(frozen=True, slots=True)
class Identity:
    """How this program introduces itself."""

    title: str
    version: str
    url: str

    def headers(self) -> dict[str, str]:
        """The headers that attribute requests to this program."""
        return {
            "User-Agent": f"{self.title}/{self.version} Python/{platform.python_version()}",
            "HTTP-Referer": self.url,
            "X-OpenRouter-Title": self.title,
            "X-OpenRouter-Categories": "cli-agent",
        }


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole reply."""

    body: bytes
    generation_id: str | None


class OpenReply:
    """A reply whose body is still arriving: as events, or at once when upstream chose not to stream."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self.generation_id = response.headers.get("x-generation-id")
        self.streamed = response.headers.get("content-type", "").startswith("text/event-stream")
        self._until = math.inf
        self._whole = False

    def expect(self, seconds: float) -> None:
        """What came would do; what may follow is waited for so long, and its breaking is no trouble any more."""
        self._until = anyio.current_time() + seconds

    def enough(self) -> None:
        """Nothing is missing: whatever follows is no event."""
        # A connection that was read to its end can serve the next call; a slow end is not worth waiting for.
        self._whole = True
        self.expect(_LAST_BYTES_SECONDS)

    async def events(self, received: bytes | None = None) -> AsyncIterator[str]:
        """The data of each event up to `[DONE]`, as it arrives; `received` is a body that was read already.

        Raises:
            StreamBroken: The connection broke while something was missing, or an event is too large to be real.
        """
        reader = EventReader()
        try:
            async for chunk in self._chunks(received):
                for data in reader.feed(chunk):
                    if data.strip() == _DONE:
                        self.enough()
                    if self._whole:
                        break
                    yield data
        except (httpx2.HTTPError, EventTooLarge) as error:
            if self._until < math.inf:
                return
            raise self._broken(error) from error
        for data in () if self._whole else reader.end():
            if data.strip() != _DONE:
                yield data

    async def _chunks(self, received: bytes | None) -> AsyncIterator[bytes]:
        if received is not None:
            yield received
            return
        chunks = aiter(self._response.aiter_bytes())
        while True:
            chunk = None
            with anyio.CancelScope(deadline=self._until):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk

    async def body(self) -> bytes:
        """The whole body.

        Raises:
            StreamBroken: The connection broke, or the body is too large to be real.
        """
        try:
            return await _read_all(self._response)
        except (httpx2.HTTPError, EventTooLarge) as error:
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> StreamBroken:
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
        return httpx2.AsyncClient(
            base_url=self._base_url,
            headers=self._identity.headers(),
            http2=True,
            timeout=_TIMEOUT,
            limits=_LIMITS,
        )

    async def get(self, path: str, key: str | None, params: Mapping[str, str] | None = None) -> HttpReply:
        """Read something. Nothing is spent, so passing trouble is retried."""
        async with self._send("GET", path, key, params=params, content=None, paid=False) as response:
            return HttpReply(await OpenReply(response).body(), response.headers.get("x-generation-id"))

    @asynccontextmanager
    async def post(
        self, path: str, key: str | None, content: bytes, attempts: int = ATTEMPTS
    ) -> AsyncGenerator[OpenReply]:
        """Ask for something that costs money; leaving the block closes the connection, which cancels the work."""
        sending = self._send("POST", path, key, params=None, content=content, paid=True, attempts=attempts)
        async with sending as response:
            yield OpenReply(response)

    @asynccontextmanager
    async def _send(
        self,
        method: str,
        path: str,
        key: str | None,
        *,
        params: Mapping[str, str] | None,
        content: bytes | None,
        paid: bool,
        attempts: int = ATTEMPTS,
    ) -> AsyncGenerator[httpx2.Response]:
        client = await self.client()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if content is not None:
            headers["Content-Type"] = "application/json"
        request = client.build_request(method, path, params=params, content=content, headers=headers)
        began = anyio.current_time()
        response = await _accepted(client, request, paid=paid, attempts=attempts)
        if self._heard is not None:
            self._heard(f"/{path.split('/')[1]}", anyio.current_time() - began)
        try:
            yield response
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await response.aclose()


async def _accepted(
    client: httpx2.AsyncClient, request: httpx2.Request, *, paid: bool, attempts: int
) -> httpx2.Response:
    """The reply, once upstream has accepted the request."""
    attempt = ATTEMPTS - attempts + 1
    while True:
        try:
            return await _attempt(client, request, paid=paid)
        except Failure as failure:
            left = anyio.current_effective_deadline() - anyio.current_time()
            wait = wait_before_retry(failure, attempt, left, paid=paid)
            if wait is None:
                raise
            attempt += 1
        await anyio.sleep(wait)


async def _attempt(client: httpx2.AsyncClient, request: httpx2.Request, *, paid: bool) -> httpx2.Response:
    try:
        # A redirected POST would arrive as a GET, or be paid for somewhere else.
        response = await client.send(request, stream=True, follow_redirects=not paid)
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


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: upstream sends milliseconds, seconds or a date."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after", "")
        if not value:
            return None
        return max(0.0, float(value) if value[0].isdigit() else parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None


def _describe(error: Exception) -> str:
    if isinstance(error, EventTooLarge):
        return "it is larger than any real answer"
    if isinstance(error, httpx2.ReadTimeout):
        return f"silent for {_SILENCE_SECONDS:.0f} s"
    text = str(error) or type(error).__name__
    return text.split("\n", 1)[0][:120]


def unreadable(what: str, generation_id: str | None = None, *, may_be_billed: bool = False) -> UpstreamFailed:
    """The failure of a reply that is not what it should be."""
    return UpstreamFailed(
        f"OpenRouter's {what} could not be read", generation_id=generation_id, may_be_billed=may_be_billed
    )
