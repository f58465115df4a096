"""How long a session takes to start: in a process of its own, and where a resident is there already."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from bench.figures import Aim, Figure
from bench.programs import FLOOR, PRODUCT, ROOT, Program, address, console_script, environment
from bench.protocol import MODERN, Era
from bench.session import session

_STAYS = "120"
_BLOCK = 25
_LIST, _ANSWER, _MEMORY = "start to tools/list", "start to the first answer", "memory"


def starts(port: int, data: Path, rounds: int, era: Era) -> Iterator[Figure]:
    """Both ways to start the product beside the floor; the first start of each writes bytecode and is not counted."""
    base_url = address(port)
    ways = {
        "floor": (FLOOR, "off"),
        "own": (_as_pip_installs_it(data), "off"),
        "shared": (_as_pip_installs_it(data), _STAYS),
    }
    taken: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    with _resident(base_url, data, era):
        for turn in range(-1, rounds):
            for way, (program, resident) in ways.items():
                measured = _start(program, base_url, data, era, resident)
                if turn >= 0:
                    taken[way].append(measured)
    middle = {way: {name: median(each[name] for each in all_of) for name in all_of[0]} for way, all_of in taken.items()}
    floor, own, shared = middle["floor"], middle["own"], middle["shared"]
    yield Figure(f"{_LIST}, {era.name}", "ms", own[_LIST], floor[_LIST], Aim(1.0))
    yield Figure(f"{_ANSWER}, {era.name}", "ms", own[_ANSWER], floor[_ANSWER], Aim(1.25))
    yield Figure(f"{_LIST} with a resident, {era.name}", "ms", shared[_LIST], floor[_LIST], Aim(0.06))
    yield Figure(f"{_ANSWER} with a resident, {era.name}", "ms", shared[_ANSWER], floor[_ANSWER], Aim(0.08))
    if era is MODERN:
        yield Figure("memory at the first answer", "MB", own[_MEMORY], floor[_MEMORY], Aim(1.15))
        yield Figure("memory of a second session", "MB", shared[_MEMORY], None, Aim(12, of_ratio=False))


def through_resident(port: int, data: Path, blocks: int) -> Iterator[Figure]:
    """What a resident adds to a call; here the floor is the product in a process of its own."""
    taken: dict[str, list[float]] = {_STAYS: [], "off": []}
    base_url = address(port)
    with _resident(base_url, data, MODERN), ExitStack() as stack:
        opened = {each: stack.enter_context(session(PRODUCT, base_url, data, MODERN, each)) for each in taken}
        for each in opened.values():
            each.open()
            each.ask()
        for _ in range(blocks):
            for way, each in opened.items():
                taken[way] += [each.ask() * 1000 for _ in range(_BLOCK)]
    shared, own = (median(each) for each in taken.values())
    yield Figure("ask through a resident (floor: without)", "ms", shared, own, Aim(1.1))


def _start(program: Program, base_url: str, data: Path, era: Era, resident: str) -> dict[str, float]:
    begun = perf_counter()
    with session(program, base_url, data, era, resident) as opened:
        opened.open()
        listed = perf_counter() - begun
        opened.ask()
        answered = perf_counter() - begun
        return {_LIST: listed * 1000, _ANSWER: answered * 1000, _MEMORY: opened.resident_mb()}


def _as_pip_installs_it(data: Path) -> Program:
    return Program("product", "or_mcp", script=console_script(data))


@contextmanager
def _resident(base_url: str, data: Path, era: Era) -> Generator[None]:
    """A resident that is whole, as a first session leaves it behind; none is left."""
    try:
        with session(PRODUCT, base_url, data, era, _STAYS) as opened:
            opened.open()
            opened.ask()
        while not all(each["complete"] for each in _told(base_url, data)["residents"]):
            sleep(0.2)
        yield
    finally:
        _told(base_url, data, "stop")


def _told(base_url: str, data: Path, *what: str) -> Mapping[str, Any]:
    command = [*PRODUCT.command("resident", *what), "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment(base_url, data), cwd=ROOT)
    return json.loads(done.stdout)
