"""The hosts, installed once; an upstream and a server over HTTP for all tests; a fresh home for each."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest

from tests.hosts.installed import Installed, installed
from tests.hosts.world import World, served, simulated

NewWorld = Callable[..., World]
TOKEN = "team-token"
SLOW = "Take your time: "
"""A question that begins so takes longer than a host with little patience waits."""
LONG = "At length: "
"""A question that begins so gets a long answer."""


@pytest.fixture(scope="session")
def hosts() -> Installed:
    return installed()


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    rules = [
        {"path": "/responses", "contains": SLOW, "duration_s": 6},
        {"path": "/responses", "contains": LONG, "answer_chars": 18_000},
    ]
    with simulated(tmp_path_factory.mktemp("upstream") / "faults.json", rules) as base_url:
        yield base_url


@pytest.fixture(scope="session")
def url(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with served(upstream, tmp_path_factory.mktemp("served")) as url:
        yield url


@pytest.fixture(scope="session")
def guarded_url(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    guard = {"OR_MCP_HTTP_AUTH": "token", "OR_MCP_HTTP_TOKENS": TOKEN}
    with served(upstream, tmp_path_factory.mktemp("guarded"), **guard) as url:
        yield url


@pytest.fixture(scope="session")
def new_world(hosts: Installed, upstream: str, url: str, tmp_path_factory: pytest.TempPathFactory) -> NewWorld:
    """Make a home that no host has seen yet; settings of our program may be given."""

    def new(**settings: str) -> World:
        return World(hosts, tmp_path_factory.mktemp("home"), upstream, url, settings)

    return new


@pytest.fixture
def world(new_world: NewWorld) -> World:
    return new_world()
