"""Hosts with data directories of their own, and one database, each behind a proxy."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from or_mcp.server import Program
from or_mcp.settings import read_settings
from tests.fleet.proxy import Proxy
from tests.postgres import Postgres

Hosts = Callable[..., AbstractAsyncContextManager[list[Client]]]


@pytest.fixture
def database(postgres: Postgres) -> str:
    """The name of a database of this test's own."""
    return postgres.fresh().rpartition("/")[2]


@pytest.fixture
def proxies(postgres: Postgres) -> Generator[Callable[[], Proxy]]:
    """More ways to the database."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Proxy(postgres.port).running())


@pytest.fixture
def hosts(environment: dict[str, str], tmp_path: Path, postgres: Postgres, database: str) -> Hosts:
    """Connect clients to so many hosts; `through` are the ways of the first of them to the database."""

    @asynccontextmanager
    async def connected(
        count: int, *, through: tuple[Proxy, ...] = (), **settings: str
    ) -> AsyncGenerator[list[Client]]:
        async with AsyncExitStack() as stack:
            clients: list[Client] = []
            for number in range(count):
                port = through[number].port if number < len(through) else None
                own: dict[str, Any] = {
                    "OR_MCP_DATA_DIR": str(tmp_path / f"host{number}"),
                    "OR_MCP_DATABASE_URL": postgres.url(database, port),
                }
                program = Program(read_settings(environment | own | settings))
                clients.append(await stack.enter_async_context(Client(program.server)))
            yield clients

    return connected
