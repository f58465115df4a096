"""The two eras of the protocol, as the bench speaks them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from bench.catalogue import MODEL

_CLIENT = {"name": "bench", "version": "1"}
_question = count()


@dataclass(frozen=True, slots=True)
class Era:
    """One era: how a session opens, and what every request carries."""

    name: str
    version: str
    opening: str
    handshake: bool

    def message(self, number: int, method: str, params: Mapping[str, Any]) -> bytes:
        """One request, without its line end."""
        carried = dict(params) if self.handshake else {**params, "_meta": self._envelope()}
        return _json({"jsonrpc": "2.0", "id": number, "method": method, "params": carried})

    def open(self, number: int) -> bytes:
        """The first request of a session."""
        hello = {"protocolVersion": self.version, "capabilities": {}, "clientInfo": _CLIENT} if self.handshake else {}
        return self.message(number, self.opening, hello)

    def _envelope(self) -> dict[str, Any]:
        prefix = "io.modelcontextprotocol/"
        return {
            f"{prefix}protocolVersion": self.version,
            f"{prefix}clientInfo": _CLIENT,
            f"{prefix}clientCapabilities": {},
        }


LEGACY = Era("2025-11-25", "2025-11-25", "initialize", handshake=True)
MODERN = Era("2026-07-28", "2026-07-28", "server/discover", handshake=False)
ERAS = (LEGACY, MODERN)
INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'


def question() -> dict[str, Any]:
    """The parameters of an `ask` that nobody has asked before: equal ones would be answered once for all."""
    return {"name": "ask", "arguments": {"model": MODEL, "prompt": f"What is question {next(_question)}?"}}


def checked(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of a reply; a failure is no measurement."""
    result = message.get("result")
    if not isinstance(result, dict) or message["result"].get("isError"):
        raise RuntimeError(f"A server answered with a failure: {json.dumps(message)[:1000]}")
    return message["result"]


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
