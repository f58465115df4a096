"""Tests of the store hold on every engine."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from or_mcp.runs.engines.postgres import Line, migrate
from or_mcp.runs.engines.sqlite import SqliteTransaction
from or_mcp.runs.schema import migrate as migrate_sqlite
from or_mcp.runs.transaction import Transaction
from tests.postgres import needs_postgres

ENGINES = ["sqlite", pytest.param("postgres", marks=needs_postgres)]


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Whether, and where, there is a database; without one the store is a file of the data directory."""
    return request.getfixturevalue("postgres").fresh() if request.param == "postgres" else None


@pytest.fixture
def tx(database_url: str | None) -> Iterator[Transaction]:
    """A store of its own."""
    if database_url is None:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            migrate_sqlite(connection)
            yield SqliteTransaction(connection)
        return
    with closing(Line(database_url)) as line, line.used() as tx:
        migrate(line, tx)
        yield tx


@pytest.fixture
def forgets_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is old goes as soon as a process starts."""
    monkeypatch.setattr("or_mcp.runs.runner._FORGET_FIRST_AFTER_SECONDS", 0)


Either = Callable[[dict[str, str]], dict[str, str]]


@pytest.fixture
def environment(environment: dict[str, str], request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables of a program; in tests marked so, once on each engine."""
    if "database_url" not in request.fixturenames:
        return environment
    url: Any = request.getfixturevalue("database_url")
    return environment | ({"OR_MCP_DATABASE_URL": url} if url else {})
