"""`or-mcp store`: for those who run databases."""

from __future__ import annotations

import argparse
import os
from collections.abc import Generator
from contextlib import contextmanager

from or_mcp.cli import fail
from or_mcp.cli.terminal import emit
from or_mcp.runs.transaction import Away, Transaction
from or_mcp.settings import Settings, SettingsError, read_settings


def run(arguments: argparse.Namespace) -> int:
    """Show the tables, or compare the ledger with the runs."""
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        return fail(str(error), 2)
    return _print(settings) if arguments.what == "print" else _check(settings)


def _print(settings: Settings) -> int:
    """The statements that make an empty database into this version's."""
    if settings.database_url:
        from or_mcp.runs.engines.tables import schema
    else:
        from or_mcp.runs.schema import schema
    emit(schema())
    return 0


def _check(settings: Settings) -> int:
    from or_mcp.runs.amounts import days_ago
    from or_mcp.runs.checking import differences

    if not settings.store:
        return fail("OR_MCP_STORE is off: there is nothing to check")
    if not settings.database_url and not (settings.data_dir / "runs.sqlite3").exists():
        emit("No runs yet.")
        return 0
    try:
        with looked_at(settings) as tx:
            found = differences(tx, days_ago(settings.retention_days).timestamp())
            (runs,) = tx.execute("SELECT count(*) FROM runs").fetchone()
    except Away as away:
        return fail(f"the run store cannot be read: {away}")
    for each in found:
        emit(f"{each.scope}  {each.day}  ledger {each.ledger}  runs {each.runs}")
    if found:
        return fail(f"{len(found)} rows of the ledger are not the sum of their runs")
    emit(f"The ledger is the sum of {runs} runs.")
    return 0


@contextmanager
def looked_at(settings: Settings) -> Generator[Transaction]:
    """The store, at one moment.

    Raises:
        Away: It cannot be read.
    """
    if settings.database_url:
        from or_mcp.runs.engines.postgres import looking as looking_at_the_database

        with looking_at_the_database(settings.database_url) as tx:
            yield tx
        return
    import sqlite3

    from or_mcp.runs.engines.sqlite import looking

    try:
        with looking(settings.data_dir / "runs.sqlite3") as tx:
            yield tx
    except sqlite3.Error as error:
        raise Away(str(error)) from error
