"""The measures. In each, product and floor take turns, so that whatever else the machine does meets both."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.bare import bare_call
from bench.figures import Aim, Figure, Samples, middle, percentile
from bench.programs import BOTH, PRODUCT, ROOT, Program, address, environment
from bench.protocol import ERAS, MODERN, Era
from bench.searching import searching
from bench.session import Session, session
from bench.stalls import stalls
from bench.starts import starts, through_resident
from bench.vectors import embedding
from bench.web import load, web_server

_BURST = 64
_BURST_LATENCY_MS = 200
_CONNECTIONS = 32
_BLOCK = 25


@dataclass(frozen=True, slots=True)
class Effort:
    """How often things are measured."""

    starts: int
    blocks: int
    bursts: int
    rounds: int
    seconds: float


FULL = Effort(starts=11, blocks=24, bursts=9, rounds=5, seconds=3)
QUICK = Effort(starts=3, blocks=6, bursts=3, rounds=2, seconds=1)


class Bench:
    """Everything the measures share: the upstream stub, a data directory, and how much effort to make."""

    def __init__(self, port: int, data: Path, effort: Effort) -> None:
        self.port = port
        self.data = data
        self.effort = effort

    def figures(self) -> Iterator[Figure]:
        """Every figure, as soon as it is known."""
        yield from self._commands()
        for era in ERAS:
            yield from starts(self.port, self.data, self.effort.starts, era)
        yield from through_resident(self.port, self.data, self.effort.blocks)
        yield from self._lists()
        for era in ERAS:
            yield from self._calls(era)
        yield from self._bursts()
        for era in ERAS:
            yield from self._throughput(era)
        yield from embedding(self.port, self.data, self.effort.rounds)
        yield from searching(self.effort.starts)
        yield from stalls(self.port, self.data, self.effort.rounds)

    def _commands(self) -> Iterator[Figure]:
        samples: dict[str, list[float]] = {"--help": [], "--version": [], "empty": []}
        for _ in range(self.effort.starts):
            samples["empty"].append(_run([sys.executable, "-c", "pass"]))
            for option in ("--help", "--version"):
                samples[option].append(_run(PRODUCT.command(option)))
        empty = median(samples["empty"])
        for option in ("--help", "--version"):
            yield Figure(f"{option} (floor: python -c pass)", "ms", median(samples[option]), empty, Aim(4))

    def _lists(self) -> Iterator[Figure]:
        lists: dict[str, bytes] = {}
        for program in BOTH:
            with self._session(program, MODERN) as opened:
                lists[program.name] = opened.open()
        yield from _sizes(lists)

    def _calls(self, era: Era) -> Iterator[Figure]:
        alone: list[float] = []
        took, memory = _samples(), _samples()
        with ExitStack() as stack:
            bare = stack.enter_context(bare_call(self.port))
            opened = {program.name: stack.enter_context(self._session(program, era)) for program in BOTH}
            for each in opened.values():
                each.open()
                each.ask()
            for turn in range(self.effort.blocks):
                alone += _block(bare.seconds)
                for program in _turns(turn):
                    took[program.name] += _block(opened[program.name].ask)
                    if (turn + 1) * _BLOCK == _memory_calls(self.effort):
                        memory[program.name].append(opened[program.name].resident_mb())
        if era is MODERN:
            yield Figure("upstream call alone, p50", "ms", median(alone))
            yield middle(f"memory after {_memory_calls(self.effort)} calls", "MB", memory, Aim(1.15))
        for share, aim in ((0.5, Aim(1.2)), (0.95, None)):
            product, floor = (percentile(took[program.name], share) for program in BOTH)
            less = percentile(alone, share)
            yield Figure(f"added per ask, p{share * 100:.0f}, {era.name}", "ms", product - less, floor - less, aim)

    def _bursts(self) -> Iterator[Figure]:
        warm, cold = _samples(), _samples()
        with ExitStack() as stack:
            opened = {
                program.name: stack.enter_context(self._session(program, MODERN, _BURST_LATENCY_MS)) for program in BOTH
            }
            for each in opened.values():
                each.open()
                each.ask()
            for turn in range(self.effort.bursts + 1):
                for program in _turns(turn):
                    (warm if turn else cold)[program.name].append(opened[program.name].ask(_BURST) * 1000)
        name = f"burst of {_BURST} at {_BURST_LATENCY_MS} ms"
        yield middle(f"{name}, first", "ms", cold)
        yield middle(name, "ms", warm, Aim(1.1))

    def _throughput(self, era: Era) -> Iterator[Figure]:
        rates, slow = _samples(), _samples()
        base_url = address(self.port)
        with ExitStack() as stack:
            ports = {program.name: stack.enter_context(web_server(program, base_url, self.data)) for program in BOTH}
            for turn in range(self.effort.rounds):
                for program in _turns(turn):
                    done = asyncio.run(load(ports[program.name], era, _CONNECTIONS, self.effort.seconds))
                    rates[program.name].append(done.calls_per_second)
                    slow[program.name].append(percentile(done.seconds, 0.95) * 1000)
        name = f"HTTP at {_CONNECTIONS} connections"
        yield middle(f"{name}, {era.name}", "calls/s", rates, Aim(0.85, at_least=True))
        yield middle(f"{name}, p95, {era.name}", "ms", slow)

    def _session(self, program: Program, era: Era, latency_ms: int = 0) -> AbstractContextManager[Session]:
        return session(program, address(self.port, latency_ms), self.data, era)


def _samples() -> Samples:
    return {program.name: [] for program in BOTH}


def _turns(turn: int) -> Sequence[Program]:
    """Who goes first changes every time."""
    return BOTH if turn % 2 else BOTH[::-1]


def _block(measure: Callable[[], float]) -> list[float]:
    return [measure() * 1000 for _ in range(_BLOCK)]


def _memory_calls(effort: Effort) -> int:
    return min(200, effort.blocks * _BLOCK)


def _run(command: Sequence[str]) -> float:
    begun = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment(), cwd=ROOT)
    return (perf_counter() - begun) * 1000


def _sizes(lists: dict[str, bytes]) -> Iterator[Figure]:
    product, floor = (lists[program.name] for program in BOTH)
    yield Figure("tools/list on the wire", "bytes", len(product), len(floor))
    yield Figure("tools/list as agents see it", "bytes", _seen(product), _seen(floor), Aim(10_000, of_ratio=False))


def _seen(line: bytes) -> int:
    """What hosts put into the context: name, description and input schema."""
    tools = json.loads(line)["result"]["tools"]
    shown = [{name: tool[name] for name in ("name", "description", "inputSchema") if name in tool} for tool in tools]
    return len(json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode())
