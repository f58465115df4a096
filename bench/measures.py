"""The measures. In each, product and floor take turns, so that whatever else the machine does meets both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.bare import bare_call
from bench.busy import busy
from bench.caching import caching
from bench.figures import Aim, Figure, Samples, middle, percentile
from bench.growth import growth
from bench.peers import peers
from bench.programs import BOTH, PRODUCT, ROOT, Program, address, environment
from bench.protocol import ERAS, MODERN, Era
from bench.rows import many_rows
from bench.searching import searching
from bench.session import Session, session
from bench.stalls import stalls
from bench.starts import starts, through_resident
from bench.throughput import throughput
from bench.vectors import embedding

_BURSTS = {64: 0.9, 128: 1.0}
_BURST_LATENCY_MS = 200
_BLOCK = 25
# What an ask waits for.
_SYNCS = 2


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

    def __init__(self, port: int, data: Path, effort: Effort, runs: int) -> None:
        self.port = port
        self.data = data
        self.effort = effort
        self.runs = runs

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
            yield from throughput(self.port, self.data, era, self.effort.rounds, self.effort.seconds)
        yield from embedding(self.port, self.data, self.effort.rounds)
        yield from many_rows(self.data, self.effort.rounds)
        yield from caching(self.data)
        yield from searching(self.effort.starts)
        yield from stalls(self.port, self.data, self.effort.rounds)
        yield from busy(self.port, self.data)
        yield from growth(self.port, self.data, self.runs)
        yield from peers(self.port)

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
        synced = _synced(self.data)
        took, memory, cpu = _samples(), _samples(), dict.fromkeys([program.name for program in BOTH], 0.0)
        with ExitStack() as stack:
            bare = stack.enter_context(bare_call(self.port))
            opened = {program.name: stack.enter_context(self._session(program, era)) for program in BOTH}
            for each in opened.values():
                each.open()
                each.ask()
            for turn in range(self.effort.blocks):
                alone += _block(bare.seconds)
                for program in _turns(turn):
                    before = opened[program.name].busy_seconds()
                    took[program.name] += _block(opened[program.name].ask)
                    cpu[program.name] += opened[program.name].busy_seconds() - before
                    if (turn + 1) * _BLOCK == _memory_calls(self.effort):
                        memory[program.name].append(opened[program.name].resident_mb())
        calls = self.effort.blocks * _BLOCK
        if era is MODERN:
            yield Figure("upstream call alone, p50", "ms", median(alone))
            yield Figure("an fsync of this disk, p50", "ms", median(synced))
            yield middle(f"memory after {_memory_calls(self.effort)} calls", "MB", memory, Aim(1.1))
        product, floor = (cpu[program.name] / calls * 1000 for program in BOTH)
        yield Figure(f"CPU per ask, {era.name}", "ms", product, floor, Aim(1.2))
        for share, aim in ((0.5, Aim(1.2)), (0.95, Aim(1.25))):
            product, floor = (percentile(took[program.name], share) for program in BOTH)
            less = percentile(alone, share)
            # A run is synced before it is sent and when it has ended: what a disk takes for that is not ours.
            ours = product - _SYNCS * percentile(synced, share) - less
            yield Figure(f"added per ask, p{share * 100:.0f}, {era.name}", "ms", ours, floor - less, aim)

    def _bursts(self) -> Iterator[Figure]:
        with ExitStack() as stack:
            opened = {
                program.name: stack.enter_context(self._session(program, MODERN, _BURST_LATENCY_MS)) for program in BOTH
            }
            for each in opened.values():
                each.open()
                each.ask()
            for size, aim in _BURSTS.items():
                warm, cold = _samples(), _samples()
                for turn in range(self.effort.bursts + 1):
                    for program in _turns(turn):
                        (warm if turn else cold)[program.name].append(opened[program.name].ask(size) * 1000)
                name = f"burst of {size} at {_BURST_LATENCY_MS} ms"
                yield middle(f"{name}, first", "ms", cold)
                yield middle(name, "ms", warm, Aim(aim))

    def _session(self, program: Program, era: Era, latency_ms: int = 0) -> AbstractContextManager[Session]:
        return session(program, address(self.port, latency_ms), self.data, era)


def _samples() -> Samples:
    return {program.name: [] for program in BOTH}


def _turns(turn: int) -> Sequence[Program]:
    """Who goes first changes every time."""
    return BOTH if turn % 2 else BOTH[::-1]


def _block(measure: Callable[[], float]) -> list[float]:
    return [measure() * 1000 for _ in range(_BLOCK)]


def _synced(folder: Path) -> list[float]:
    """Milliseconds that appending a page to a file, and syncing it, takes here."""
    took: list[float] = []
    with (folder / "synced").open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(b"." * 4096)
            begun = perf_counter()
            os.fsync(file.fileno())
            took.append((perf_counter() - begun) * 1000)
    return took


def _memory_calls(effort: Effort) -> int:
    return min(200, effort.blocks * _BLOCK)


def _run(command: Sequence[str]) -> float:
    begun = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment(), cwd=ROOT)
    return (perf_counter() - begun) * 1000


def _sizes(lists: dict[str, bytes]) -> Iterator[Figure]:
    product, floor = (lists[program.name] for program in BOTH)
    yield Figure("tools/list on the wire", "bytes", len(product), len(floor))
    yield Figure("tools/list as agents see it", "bytes", _seen(product), _seen(floor), Aim(13_000, of_ratio=False))


def _seen(line: bytes) -> int:
    """What hosts put into the context: name, description and input schema."""
    tools = json.loads(line)["result"]["tools"]
    shown = [{name: tool[name] for name in ("name", "description", "inputSchema") if name in tool} for tool in tools]
    return len(json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode())
