"""How a busy server treats everybody else: calls asked while it reads streams, sends a large file, or others wait.

`python -m bench.busy` measures these alone.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from bench.catalogue import MODEL
from bench.figures import Aim, Figure, percentile
from bench.programs import PRODUCT, address, busy_seconds, environment, started, upstream
from bench.protocol import MODERN, checked
from bench.upstream import PANEL

_FUSIONS, _RATE, _EVENTS = 64, 500, 2_000
_WAITERS, _SETTLED_SECONDS, _WAITED_SECONDS = 1_000, 12, 8
_IMAGE_BYTES = 20_000_000
_PAUSE_SECONDS = 0.02
_PATIENCE_SECONDS = 300


class Host:
    """One session on stdio with many calls under way."""

    def __init__(self, incoming: int, outgoing: int, pid: int) -> None:
        self.pid = pid
        self._incoming, self._outgoing = incoming, outgoing
        self._lock = threading.Lock()
        self._answered: dict[int, threading.Event] = {}
        self._answers: dict[int, tuple[float, Mapping[str, Any]]] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def begin(self, method: str, params: Mapping[str, Any]) -> int:
        """Ask, and do not wait."""
        with self._lock:
            number = len(self._answered)
            self._answered[number] = threading.Event()
            line = MODERN.message(number, method, params) + b"\n"
            while line:
                line = line[os.write(self._outgoing, line) :]
        return number

    def end(self, number: int) -> tuple[float, Mapping[str, Any]]:
        """When an answer came, and what it is."""
        if not self._answered[number].wait(_PATIENCE_SECONDS):
            raise RuntimeError(f"A server was silent for {_PATIENCE_SECONDS} s")
        when, message = self._answers.pop(number)
        return when, checked(message)

    def call(self, tool: str, **arguments: Any) -> Mapping[str, Any]:
        """What a tool answers."""
        return self.end(self.begin("tools/call", {"name": tool, "arguments": arguments}))[1]["structuredContent"]

    def took(self) -> float:
        """Milliseconds that a free call takes."""
        begun = perf_counter()
        number = self.begin("tools/call", {"name": "list_models", "arguments": {"query": "model 17", "limit": 5}})
        return (self.end(number)[0] - begun) * 1000

    def _listen(self) -> None:
        with os.fdopen(self._incoming, "rb", closefd=False) as lines:
            for line in lines:
                message = json.loads(line)
                if "id" in message:
                    self._answers[message["id"]] = (perf_counter(), message)
                    self._answered[message["id"]].set()


@contextmanager
def host(base_url: str, data: Path, **settings: str) -> Generator[Host]:
    """A server on stdio that has answered once."""
    env = environment(base_url, data) | {"OR_MCP_MAX_COST_PER_CALL_USD": "0", **settings}
    with started(PRODUCT.command(), env) as (process, _):
        assert process.stdin is not None
        assert process.stdout is not None
        opened = Host(process.stdout.fileno(), process.stdin.fileno(), process.pid)
        opened.end(opened.begin("server/discover", {}))
        opened.took()
        yield opened


def busy(port: int, data: Path) -> Iterator[Figure]:
    """What others wait for, and what waiting costs."""
    yield from _streams(port, data)
    yield from _image(port, data)
    yield from _waiting(port, data)


def _streams(port: int, data: Path) -> Iterator[Figure]:
    with host(f"http://127.0.0.1:{port}/r{_RATE}n{_EVENTS}/api/v1", data) as opened:
        cpu, begun = busy_seconds(opened.pid), perf_counter()
        fusions = [_fusion(opened, number) for number in range(_FUSIONS)]
        waits = _meanwhile(opened, fusions)
        took, cpu = perf_counter() - begun, busy_seconds(opened.pid) - cpu
    name = f"{_FUSIONS} fusions at {_RATE} events/s"
    yield Figure(f"{name}: another call, p99", "ms", percentile(waits, 0.99), None, Aim(100, of_ratio=False))
    yield Figure(f"{name}: all of them (floor: as they were sent)", "s", took, _EVENTS / _RATE)
    yield Figure(f"{name}: CPU per event", "us", cpu / (_FUSIONS * _EVENTS) * 1e6)


def _fusion(opened: Host, number: int) -> int:
    arguments = {"prompt": f"Fusion {number}?", "analysis_models": PANEL, "web": False, "wait_seconds": 280}
    return opened.begin("tools/call", {"name": "fuse", "arguments": arguments})


def _image(port: int, data: Path) -> Iterator[Figure]:
    image = data / "large.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(_IMAGE_BYTES - 8))
    with host(address(port), data, OR_MCP_ALLOWED_DIRS=str(data)) as opened:
        opened.call("ask", model=MODEL, prompt="What is nothing?")
        arguments = {"model": MODEL, "prompt": "What is this?", "attachments": [str(image)]}
        waits = _meanwhile(opened, [opened.begin("tools/call", {"name": "ask", "arguments": arguments})])
    yield Figure("an image of 20 MB: another call, longest", "ms", max(waits), None, Aim(40, of_ratio=False))


def _meanwhile(opened: Host, under_way: Sequence[int]) -> list[float]:
    """What a free call takes, again and again, until all of these have answers."""
    waits: list[float] = []
    done = threading.Event()

    def wait() -> None:
        for number in under_way:
            opened.end(number)
        done.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    while not done.is_set() and waiting.is_alive():
        waits.append(opened.took())
        sleep(_PAUSE_SECONDS)
    if not done.is_set():
        raise RuntimeError("A call failed while others were asked")
    return waits


def _waiting(port: int, data: Path) -> Iterator[Figure]:
    slow = address(port, 60_000)
    with host(slow, data) as carrying, host(slow, data) as other:
        run = carrying.call("ask", model=MODEL, prompt="What takes a minute?", wait_seconds=0)["run_id"]
        for _ in range(_WAITERS):
            other.begin("tools/call", {"name": "run", "arguments": {"run_id": run, "wait_seconds": 120}})
        # All of them have been read once a later call is answered; what a process imports after its start is over, too.
        other.took()
        sleep(_SETTLED_SECONDS)
        cpu, begun = busy_seconds(other.pid), perf_counter()
        sleep(_WAITED_SECONDS)
        share = (busy_seconds(other.pid) - cpu) / (perf_counter() - begun)
        waits = [other.took() for _ in range(20)]
    name = f"{_WAITERS:,} who wait for a run of another process"
    yield Figure(f"{name}: of a core", "%", share * 100, None, Aim(10, of_ratio=False))
    yield Figure(f"{name}: another call, p95", "ms", percentile(waits, 0.95))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="or-mcp-bench-") as directory, upstream() as port:
        for figure in busy(port, Path(directory)):
            print(f"{figure.name}: {figure.product:.1f} {figure.unit}", flush=True)
