"""HTTP for clients in no hurry: whoever has not finished its headers after a while is let go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from socket import socket
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

# Headers are a few kilobytes: whoever takes longer to send them is holding connections.
HEADER_SECONDS = 15.0
# As much as h11 takes; httptools has no bound of its own.
_HEADER_BYTES = 64 * 1024

_Protocol = H11Protocol if TYPE_CHECKING else object


class Hurrying(_Protocol):
    """Before one of uvicorn's protocols, which by themselves wait for headers for ever."""

    _hurry: asyncio.TimerHandle | None = None
    _arrived = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is here; it may take a while to ask."""
        super().connection_made(transport)
        self._hurry = self.loop.call_later(HEADER_SECONDS, self._let_go)

    def data_received(self, data: bytes) -> None:
        """Something of a request: until its headers are whole, the clock runs."""
        super().data_received(data)
        if not self._is_waiting():
            self._stop_clock()
            return
        if self._hurry is None:
            self._hurry = self.loop.call_later(HEADER_SECONDS, self._let_go)
        self._arrived += len(data)
        if self._arrived > _HEADER_BYTES:
            self._let_go()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._stop_clock()
        super().connection_lost(exc)

    def _is_waiting(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    def _let_go(self) -> None:
        self._hurry = None
        if self._is_waiting() and not self.transport.is_closing():
            self.transport.close()

    def _stop_clock(self) -> None:
        self._arrived = 0
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None


class HurryingProtocol(Hurrying, H11Protocol):
    """In Python alone."""


def quickest() -> type[asyncio.Protocol]:
    """The protocol to serve with, by what is installed."""
    if find_spec("httptools") is None:
        return HurryingProtocol
    from or_mcp.web.quicker import QuickerProtocol

    return QuickerProtocol


class Server(uvicorn.Server):
    """Leaves signals to its caller: uvicorn would end the process by the signal, as if it had not been served.

    `listening` is told the port, once callers are let in.
    """

    def __init__(self, config: uvicorn.Config, listening: Callable[[int], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Open the port."""
        await super().startup(sockets)
        if self.started:
            self._listening(self.servers[0].sockets[0].getsockname()[1])

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Nothing is captured."""
        yield
