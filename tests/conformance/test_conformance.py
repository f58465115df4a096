"""The official suite of the protocol, in both eras: on the program as it is, and with fixtures beside its tools."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.conformance.results import Result, run_required
from tests.conformance.scenarios import CHECKS, EXPECTED, FIXTURE_FREE
from tests.hosts.installed import installed
from tests.hosts.world import served, simulated
from tests.serving.programs import environment, free_port, started, until_healthy

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

Results = Callable[[str, str], Mapping[str, Result]]
CASES = [
    *(("fixtures", era, scenario) for era in CHECKS for scenario in CHECKS[era]),
    *(("program", era, scenario) for era in FIXTURE_FREE for scenario in FIXTURE_FREE[era]),
]


@contextmanager
def with_fixtures(upstream: str, data: Path) -> Generator[str]:
    port = free_port()
    script = str(Path(__file__).with_name("server.py"))
    with started(str(port), env=environment(upstream, data), python=(script,), ignore_stdin=True) as talk:
        until_healthy(f"http://127.0.0.1:{port}", talk)
        yield f"http://127.0.0.1:{port}/mcp"


SERVERS: Mapping[str, Callable[[str, Path], AbstractContextManager[str]]] = {
    "fixtures": with_fixtures,
    "program": served,
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What every scenario came to; the harness runs once for a server and an era."""

    @cache
    def run(server: str, era: str) -> Mapping[str, Result]:
        folder = tmp_path_factory.mktemp(f"{server}-{era}")
        with simulated(folder / "faults.json") as upstream, SERVERS[server](upstream, folder / "data") as url:
            return run_required(installed(), url.replace("127.0.0.1", "localhost"), era, folder / "results")

    return run


@pytest.mark.parametrize(("server", "era", "scenario"), CASES, ids=lambda part: part)
def test_a_scenario_passes(results: Results, server: str, era: str, scenario: str):
    result = results(server, era)[scenario]
    expected = EXPECTED.get((server, era, scenario), {})
    assert result.failed.keys() == expected.keys(), f"{result.failed}, expected {expected}"
    if server == "fixtures":
        assert result.passed == CHECKS[era][scenario]


@pytest.mark.parametrize("era", CHECKS)
def test_every_scenario_the_suite_runs_is_looked_at(results: Results, era: str):
    assert results("fixtures", era).keys() == CHECKS[era].keys()
