"""Calls over HTTP: how many a process answers, and what each costs it, with and without `or-mcp[http]`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from bench.figures import Aim, Figure, percentile
from bench.programs import FLOOR, PRODUCT, address, busy_seconds
from bench.protocol import Era
from bench.web import Served, load, web_server

_CONNECTIONS = 32
_EXTRA = ("uvloop", "httptools")
_KINDS = {
    "product": (replace(PRODUCT, missing=_EXTRA), ()),
    "floor": (replace(FLOOR, missing=_EXTRA), ()),
    "with the extra": (PRODUCT, ()),
    "two processes": (PRODUCT, ("--workers", "2")),
}


class _Results:
    """What was measured of one server, round by round."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.slow: list[float] = []
        self.cpu: list[float] = []

    def take(self, served: Served, era: Era, seconds: float) -> None:
        """One round."""
        before = busy_seconds(served.pid)
        done = asyncio.run(load(served.port, era, _CONNECTIONS, seconds))
        self.rates.append(done.calls_per_second)
        self.slow.append(percentile(done.seconds, 0.95) * 1000)
        self.cpu.append((busy_seconds(served.pid) - before) / len(done.seconds) * 1000)


def throughput(port: int, data: Path, era: Era, rounds: int, seconds: float) -> Iterator[Figure]:
    """All servers in turns, each while the others have nothing to do."""
    kinds = {name: kind for name, kind in _KINDS.items() if name in ("product", "floor") or all(map(find_spec, _EXTRA))}
    results = {name: _Results() for name in kinds}
    with ExitStack() as stack:
        served = {
            name: stack.enter_context(web_server(program, address(port), data, *more))
            for name, (program, more) in kinds.items()
        }
        for turn in range(rounds):
            for name in kinds if turn % 2 else reversed(kinds):
                results[name].take(served[name], era, seconds)
    yield from _figures(f"HTTP at {_CONNECTIONS} connections", era, results)


def _figures(title: str, era: Era, results: dict[str, _Results]) -> Iterator[Figure]:
    product, floor = results["product"], results["floor"]
    rate, slow, cpu = median(floor.rates), median(floor.slow), median(floor.cpu)
    yield Figure(f"{title}, {era.name}", "calls/s", median(product.rates), rate, Aim(0.85, at_least=True))
    yield Figure(f"{title}, p95, {era.name}", "ms", median(product.slow), slow)
    yield Figure(f"{title}, CPU per call, {era.name}", "ms", median(product.cpu), cpu, Aim(1.2))
    if "with the extra" not in results:
        return
    quick, two = results["with the extra"], results["two processes"]
    yield Figure(f"with or-mcp[http], {era.name}", "calls/s", median(quick.rates), rate, Aim(0.95, at_least=True))
    yield Figure(f"with or-mcp[http], CPU per call, {era.name}", "ms", median(quick.cpu), cpu)
    # Where the load has processors of its own, so much more is answered by two processes than by one.
    gain = 2 * median(quick.cpu) / median(two.cpu)
    yield Figure(
        f"two processes, by CPU per call, {era.name}", "x", gain, None, Aim(1.8, at_least=True, of_ratio=False)
    )
