"""The way of bytes to OpenRouter and back: httpcore2's connections, on asyncio's own streams.

On anyio's, which httpcore2 takes otherwise, a call costs a third more. Certificates and the pool of connections are
httpx2's and httpcore2's; where a proxy is set, httpx2 connects by itself.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Generator, Iterable
from contextlib import contextmanager
from typing import Any, cast

import anyio
import httpcore2
import httpx2
from anyio.abc import SocketAttribute

from or_mcp.certificates import trusted
from or_mcp.openrouter.wire.request import PIECE

# What is kept of a reply that is not read as fast as it comes; asyncio keeps up to twice as much.
_HELD = 128 * 1024
# As anyio does it, and RFC 8305 recommends.
_NEXT_ADDRESS_SECONDS = 0.25


class Transport(httpx2.AsyncBaseTransport):
    """Sends httpx2's requests over this network."""

    def __init__(self, limits: httpx2.Limits) -> None:
        certificates = os.environ.get("SSL_CERT_FILE")
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=trusted(certificates) if certificates else httpx2.create_ssl_context(),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Network(),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The reply; its body is still to come."""
        url = request.url
        sent = httpcore2.Request(
            request.method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=cast("AsyncIterator[bytes]", request.stream),
            extensions=request.extensions,
        )
        with _in_httpx2s_words():
            reply = await self._pool.handle_async_request(sent)
        extensions = cast("Any", reply).extensions
        return httpx2.Response(reply.status, headers=reply.headers, stream=_Body(reply), extensions=extensions)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, reply: httpcore2.Response) -> None:
        self._stream = cast("Any", reply.stream)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_httpx2s_words():
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


@contextmanager
def _in_httpx2s_words() -> Generator[None]:
    """Both call their failures by the same names."""
    try:
        yield
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.UnsupportedProtocol,
    ) as error:
        raise getattr(httpx2, type(error).__name__)(str(error)) from error


class _Network(httpcore2.AsyncNetworkBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002, the pool is told none
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002, likewise
    ) -> httpcore2.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        reader = _Reader(_HELD, loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        with _connecting(timeout):
            # asyncio forgets what it has connected when it is cancelled meanwhile, and uvloop tries addresses one after
            # the other, each for minutes: anyio connects, and hands its socket on.
            stream = await anyio.connect_tcp(host, port, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS)
            own = stream.extra(SocketAttribute.raw_socket).dup()  # noqa: S610, no SQL
            try:
                await anyio.aclose_forcefully(stream)
                transport, _ = await loop.create_connection(lambda: protocol, sock=own)
            except BaseException:
                own.close()
                raise
        return _Stream(reader, asyncio.StreamWriter(transport, protocol, reader, loop))


@contextmanager
def _connecting(seconds: float | None) -> Generator[None]:
    try:
        with anyio.fail_after(seconds):
            yield
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout(f"no connection within {seconds:g} s") from error
    except OSError as error:
        raise httpcore2.ConnectError(str(error)) from error


class _Reader(asyncio.StreamReader):
    """Knows whether there is something to read; that a connection broke is told after what had arrived."""

    unread = 0
    broken: Exception | None = None

    def feed_data(self, data: Any) -> None:
        self.unread += len(data)
        super().feed_data(data)

    def set_exception(self, exc: Exception) -> None:
        self.broken = exc
        self.feed_eof()

    async def read(self, n: int = -1) -> bytes:
        taken = await super().read(n)
        if not taken and self.broken is not None:
            raise self.broken
        self.unread -= len(taken)
        return taken


class _Stream(httpcore2.AsyncNetworkStream):
    def __init__(self, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._unsent = bytearray()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._send()
        try:
            if self._reader.unread:
                return await self._reader.read(max_bytes)
            with anyio.fail_after(timeout):
                return await self._reader.read(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout from error
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not self._unsent:
            # The head of a request and its body come one by one, and each sending costs as much as both.
            asyncio.get_running_loop().call_soon(self._send)
        self._unsent += buffer
        if len(self._unsent) < PIECE:
            return
        self._send()
        try:
            with anyio.fail_after(timeout):
                await self._writer.drain()
        except TimeoutError as error:
            raise httpcore2.WriteTimeout from error
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from error

    def _send(self) -> None:
        if self._unsent:
            sent, self._unsent = bytes(self._unsent), bytearray()
            self._writer.write(sent)

    async def aclose(self) -> None:
        self._writer.transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        try:
            with _connecting(timeout):
                await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except BaseException:
            await self.aclose()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            # A connection that nobody uses was closed by its other end, or says what nobody asked for.
            return self._reader.unread > 0 or self._reader.at_eof()
        return self._writer.get_extra_info(info)
