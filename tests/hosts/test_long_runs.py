"""A panel that takes longer than a program waits is paid once, and answered, with limits as nobody has set them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from or_mcp.simulator import Simulator
from tests.hosts.complete import check_fusion
from tests.hosts.installed import Installed
from tests.hosts.tours import CLIENTS, COMMAND, Tour, read
from tests.hosts.world import World
from tests.resident.conftest import Residents

pytestmark = [
    pytest.mark.hosts,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="there runs are tried to outlive their hosts"),
]
SECONDS = 75
# Whoever asks again and again is at it for as long as the panel, and a machine may be busy.
LONGEST = 400
# By the environment that each is installed in.
FRAMEWORKS = {
    "langchain": "frameworks",
    "llama_index": "frameworks",
    "google_adk": "frameworks",
    "haystack": "frameworks",
    "agno": "python",
}
SDKS: dict[str, Mapping[str, Any]] = {
    "Python SDK 2": {"program": "impatient.py"},
    "TypeScript SDK 1": {"program": "impatient.mjs", "sdk": 1},
    "TypeScript SDK 2": {"program": "impatient.mjs", "sdk": 2},
}
LIMIT = 8


def prompt(name: str) -> str:
    return f"Monolith or microservices, asks {name}?"


def by_framework(world: World, name: str) -> Tour:
    asked = {"command": COMMAND, "url": "", "prompt": prompt(name)}
    python = world.hosts.folder / FRAMEWORKS[name] / "bin" / "python"
    return read(world.run(str(python), str(CLIENTS / "with_frameworks.py"), name, json.dumps(asked), patience=LONGEST))


def by_sdk(world: World, name: str) -> Tour:
    how = SDKS[name]
    asked = json.dumps({"command": COMMAND, "prompt": prompt(name), "limit": LIMIT, **how})
    program = CLIENTS / how["program"]
    if program.suffix == ".py":
        return read(world.run(str(world.hosts.python), str(program), asked, patience=LONGEST))
    node = ("node", "--input-type=module", "-", asked)
    source = program.read_text(encoding="utf-8")
    return read(world.run(*node, stdin=source, folder=world.hosts.folder, patience=LONGEST))


class Asked:
    """All of them, asking at once; each in a home of its own."""

    def __init__(self, tours: Mapping[str, Future[Tour]], simulator: Simulator) -> None:
        self._tours = tours
        self._simulator = simulator

    def answers(self, name: str) -> list[dict[str, Any]]:
        """What its calls came to."""
        return self._tours[name].result().answers

    def posts(self, name: str) -> int:
        """How often its question was paid for."""
        return sum(prompt(name) in str(post.body) for post in self._simulator.posts("/responses"))


@pytest.fixture(scope="module")
def asked(hosts: Installed, tmp_path_factory: pytest.TempPathFactory) -> Generator[Asked]:
    simulator = Simulator(faults=[{"path": "/responses", "duration_s": SECONDS}])
    worlds: list[World] = []

    def ask(way: Callable[[World, str], Tour], name: str) -> Future[Tour]:
        worlds.append(World(hosts, _home(tmp_path_factory), base_url, "", {"OR_MCP_RESIDENT": "20"}))
        return pool.submit(way, worlds[-1], name)

    with simulator.serve_in_thread() as base_url, ThreadPoolExecutor(len(FRAMEWORKS) + len(SDKS)) as pool:
        tours = {name: ask(by_framework, name) for name in FRAMEWORKS} | {name: ask(by_sdk, name) for name in SDKS}
        yield Asked(tours, simulator)
        for world in worlds:
            Residents({"OR_MCP_DATA_DIR": str(world.home / "data")}).end()


def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize("name", [*FRAMEWORKS, *SDKS])
def test_a_panel_of_75_seconds_is_paid_once_and_answered(asked: Asked, name: str):
    answers = asked.answers(name)
    assert not answers[-1]["failed"], answers
    assert check_fusion(answers[-1]["shown"]).startswith("run_")
    assert len(answers) > 1, "nobody's time was up"
    assert asked.posts(name) == 1
