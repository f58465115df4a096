"""What every test stands on: a simulated upstream on a real socket, and our program talking to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from mcp import Client

from or_mcp.server import Program
from or_mcp.settings import read_settings
from or_mcp.simulator import Simulator
from tests.postgres import Postgres, server

# How long an example takes says how busy the machine is.
settings.register_profile("or-mcp", deadline=None)
settings.load_profile("or-mcp")


class Upstream(Simulator):
    """The simulator, and where it listens."""

    base_url = ""


Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: at the end one of them would keep a worker busy while the others wait."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    """A PostgreSQL for the tests of this process."""
    with server() as running:
        yield running


@pytest.fixture
async def upstream() -> AsyncGenerator[Upstream]:
    """A simulated OpenRouter on a socket; its address is in `base_url`."""
    simulator = Upstream()
    async with simulator.running() as base_url:
        simulator.base_url = base_url
        yield simulator


@pytest.fixture
def environment(upstream: Upstream, tmp_path: Path) -> dict[str, str]:
    """The variables of a program that talks to the simulated upstream."""
    return {
        "OPENROUTER_API_KEY": "sk-or-test",
        "OPENROUTER_BASE_URL": upstream.base_url,
        "OR_MCP_DATA_DIR": str(tmp_path / "data"),
        "OR_MCP_ALLOWED_DIRS": str(tmp_path),
        "HOME": str(tmp_path),
        "OR_MCP_RESIDENT": "off",
    }


@pytest.fixture
def connect(environment: dict[str, str]) -> Connect:
    """Connect an MCP client to our program; settings and client options may be given."""

    @asynccontextmanager
    async def connected(
        mode: str = "auto", client: dict[str, Any] | None = None, **settings: str
    ) -> AsyncGenerator[Client]:
        program = Program(read_settings(environment | settings))
        async with Client(program.server, mode=mode, **(client or {})) as connection:
            yield connection

    return connected


def text_of(result: Any) -> str:
    """The text of a tool's answer."""
    return result.content[0].text
