"""A store that cannot be used is kept under another name, and what was spent is read from it if that can be.

Where it cannot, the name of the file says so: today's budget is then not known until the day ends or the file is gone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from or_mcp.runs.owners import exclusive

_UNREAD = ".spending-unknown"
_LEDGER = ("ledger", "spending")


def move_aside(path: Path, inode: int | None) -> Path | None:
    """Rename a store; None if another process was first, and has put a new one in its place."""
    with exclusive(path.parent / "owners" / "set-aside"):
        if path.stat().st_ino != inode:
            return None
        aside = path.with_name(f"{path.name}.aside-{datetime.now(UTC):%Y%m%dT%H%M%S%f}{_UNREAD}")
        # The log first: a new store must not take it for its own.
        _rename(path, aside, ("-wal", "-shm", ""))
        return aside


def read_aside(connection: sqlite3.Connection, aside: Path) -> Path | None:
    """Take over what was spent according to a store that was renamed; its new name, or None if it cannot be read."""
    try:
        with closing(sqlite3.connect(aside, isolation_level=None)) as old:
            salvage(connection, old)
    except (sqlite3.Error, ValueError):
        return None
    read = aside.with_name(aside.name.removesuffix(_UNREAD))
    _rename(aside, read, ("-wal", "-shm", ""))
    return read


def unread_today(path: Path) -> Path | None:
    """A store that was renamed today, and that nobody could read today's spending from."""
    return next(path.parent.glob(f"{path.name}.aside-{datetime.now(UTC):%Y%m%d}T*{_UNREAD}"), None)


def salvage(connection: sqlite3.Connection, old: sqlite3.Connection) -> None:
    """Copy the ledger, and the runs under way, which their carriers will end here."""
    ledgers = [(table, *_rows(old, table)) for table in _LEDGER]
    connection.execute("BEGIN IMMEDIATE")
    try:
        for table, columns, rows in ledgers:
            _copy(connection, table, columns, rows)
        with suppress(sqlite3.Error):
            _copy(connection, "runs", *_rows(old, "runs", "status = 'running'"))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _rows(old: sqlite3.Connection, table: str, where: str = "TRUE") -> tuple[list[str], list[tuple[object, ...]]]:
    rows = old.execute(f"SELECT * FROM {table} WHERE {where}")  # noqa: S608
    return [column[0] for column in rows.description], rows.fetchall()


def _copy(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    known = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
    kept = [at for at, name in enumerate(columns) if name in known]
    names, marks = ", ".join(columns[at] for at in kept), ", ".join("?" * len(kept))
    values = [tuple(row[at] for at in kept) for row in rows]
    connection.executemany(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", values)  # noqa: S608


def _rename(path: Path, to: Path, suffixes: Sequence[str]) -> None:
    for suffix in suffixes:
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(to.with_name(to.name + suffix))
