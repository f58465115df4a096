"""How long others wait while one caller's heavy request is in flight."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from time import perf_counter, sleep
from typing import Any

from bench.figures import Aim, Figure, percentile
from bench.heavy import HEAVY, PICTURE, Heavy
from bench.programs import PRODUCT, address, upstream
from bench.protocol import LEGACY, MODERN
from bench.upstream import PICTURE_BYTES
from bench.web import web_server

_SIZES = {"1 MiB": (1_000_000, 100), "4 MiB": (4_000_000, 250)}
_PAUSE_SECONDS = 0.002
_LONGEST_NAME = 1_000

Request = tuple[bytes, dict[str, str]]


def stalls(port: int, data: Path, rounds: int, *, kinds: str = "") -> Iterator[Figure]:
    """The slowest answers to `/healthz` and to another caller's `list_models`, by what else is in flight."""
    with web_server(PRODUCT, address(port), data) as served:
        _probe(served.port)
        for heavy in HEAVY:
            if kinds in heavy.name:
                for size, (most, aim) in _SIZES.items():
                    waits = _waits(served.port, heavy, most, rounds)
                    yield _figure(f"{heavy.name}, {size}", waits, aim)
        if kinds in PICTURE.name:
            waits = _waits(served.port, PICTURE, 0, rounds)
            yield _figure(f"{PICTURE.name}, {PICTURE_BYTES // 1_000_000} MB", waits, 250)


def _figure(beside: str, waits: list[float], aim: float) -> Figure:
    return Figure(f"wait beside {beside}", "ms", percentile(waits, 0.99), None, Aim(aim, of_ratio=False))


def _waits(port: int, heavy: Heavy, size: int, rounds: int) -> list[float]:
    """What others waited, in milliseconds, while each of these requests was in flight."""
    waits: list[float] = []
    with _probing(port) as (health, models):
        for _ in range(rounds):
            sending = Thread(target=_send, args=(port, *_request(heavy.method, heavy.params(size))))
            sending.start()
            while sending.is_alive():
                waits += [_asked(health), _asked(models, _LIST)]
                sleep(_PAUSE_SECONDS)
    return [each * 1000 for each in waits]


@contextmanager
def _probing(port: int) -> Generator[tuple[HTTPConnection, HTTPConnection]]:
    connections = HTTPConnection("127.0.0.1", port, timeout=120), HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        yield connections
    finally:
        for each in connections:
            each.close()


def _probe(port: int) -> None:
    """Warm: the catalogue is read, and whatever is imported late."""
    with _probing(port) as (health, models):
        for _ in range(20):
            _asked(health)
            _asked(models, _LIST)


def _asked(connection: HTTPConnection, request: Request | None = None) -> float:
    begun = perf_counter()
    if request is not None:
        connection.request("POST", "/mcp", *request)
    else:
        connection.request("GET", "/healthz")
    connection.getresponse().read()
    return perf_counter() - begun


def _send(port: int, message: bytes, headers: Mapping[str, str]) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("POST", "/mcp", message, headers)
        connection.getresponse().read()
    finally:
        connection.close()


def _request(method: str, params: Mapping[str, Any]) -> Request:
    """A message and its headers. The newer era wants the name there too, where no long one has room."""
    name = str(params.get("name") or params.get("uri") or "")
    era = MODERN if len(name) < _LONGEST_NAME else LEGACY
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": era.version,
        "Mcp-Method": method,
    }
    return era.message(1, method, params), headers | ({"Mcp-Name": name} if name and era is MODERN else {})


_LIST = _request("tools/call", {"name": "list_models", "arguments": {"query": "model 17", "limit": 5}})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="or-mcp-bench-") as directory, upstream() as port:
        for figure in stalls(port, Path(directory), 3, kinds=" ".join(sys.argv[1:])):
            print(f"{figure.name}: {figure.product:.0f} ms {'' if figure.met else 'MISSED'}", flush=True)
