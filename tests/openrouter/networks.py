"""Networks between a client and its upstream: TLS and proxies, every one real, and on this machine alone."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSListener
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Handler = Callable[[ByteStream], Awaitable[None]]


def certificate(folder: Path) -> Path:
    """A certificate of this machine that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "upstream")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, traditional = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    path = folder / "certificate.pem"
    private = key.private_bytes(pem, traditional, serialization.NoEncryption())
    path.write_bytes(signed.public_bytes(pem) + private)
    return path


@asynccontextmanager
async def listening(handle: Handler, certified: Path | None = None) -> AsyncGenerator[int]:
    """Serve a port, over TLS if there is a certificate."""
    plain = await anyio.create_tcp_listener(local_host="127.0.0.1", family=socket.AF_INET)
    port = plain.extra(SocketAttribute.local_port)
    listener = plain
    if certified is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certified)
        context.set_alpn_protocols(["h2", "http/1.1"])
        listener = TLSListener(plain, context, standard_compatible=False)

    async def serve(stream: ByteStream) -> None:
        try:
            async with stream:
                await handle(stream)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            pass

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield port
        group.cancel_scope.cancel()


async def join(one: ByteStream, other: ByteStream) -> None:
    """Pass on what either side says, until one of them ends."""

    async def carry(source: ByteStream, target: ByteStream) -> None:
        try:
            async for chunk in source:
                await target.send(chunk)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(carry, one, other)
        group.start_soon(carry, other, one)


def passing_to(url: str) -> Handler:
    """What hands every connection on."""

    async def handle(stream: ByteStream) -> None:
        async with await anyio.connect_tcp("127.0.0.1", urlsplit(url).port or 80) as there:
            await join(stream, there)

    return handle


@dataclass(slots=True)
class Proxy:
    """What goes through wherever its client says, and where that was."""

    asked: list[str] = field(default_factory=list[str])

    async def http(self, stream: ByteStream) -> None:
        """A proxy that is asked to CONNECT, or for a whole URL."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += await stream.receive()
        method, target, _ = head.split(b" ", 2)
        self.asked.append(f"{method.decode()} {target.decode()}")
        port = urlsplit(target if method != b"CONNECT" else b"//" + target).port or 80
        async with await anyio.connect_tcp("127.0.0.1", port) as there:
            if method == b"CONNECT":
                await stream.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                await there.send(head.replace(target, urlsplit(target).path, 1))
            await join(stream, there)

    async def socks(self, stream: ByteStream) -> None:
        """A SOCKS5 proxy that wants no password and is told an IPv4 address or a name."""
        assert (await stream.receive())[0] == 5
        await stream.send(b"\x05\x00")
        request = await stream.receive()
        port = int.from_bytes(request[-2:], "big")
        self.asked.append(f"SOCKS {port}")
        async with await anyio.connect_tcp("127.0.0.1", port) as there:
            await stream.send(b"\x05\x00\x00\x01\x7f\x00\x00\x01" + request[-2:])
            await join(stream, there)
