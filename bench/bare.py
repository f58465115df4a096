"""The upstream call alone, on a raw kept-alive socket: what no server can be faster than."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator
from contextlib import contextmanager
from time import perf_counter

from bench.catalogue import MODEL

_BODY = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "?"}], "stream": True}).encode()
_REQUEST = b"POST /l0/api/v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%b" % (
    len(_BODY),
    _BODY,
)
_END = b"0\r\n\r\n"


class BareCall:
    """A connection to the upstream stub."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def seconds(self) -> float:
        """One completion, from request to its last byte."""
        start = perf_counter()
        self._connection.sendall(_REQUEST)
        received = b""
        while not received.endswith(_END):
            received += self._connection.recv(1 << 16)
        return perf_counter() - start


@contextmanager
def bare_call(port: int) -> Generator[BareCall]:
    """A connection that is closed when the block is left."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield BareCall(connection)
