"""SQLite, shared by every process that uses the data directory. Only this room knows `sqlite3`.

One connection writes and another reads: with a write-ahead log a reader blocks nobody, and nobody blocks it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from or_mcp.runs.engines.engine import Job, is_done, settle
from or_mcp.runs.engines.set_aside import move_aside, read_aside, salvage
from or_mcp.runs.private import keep_private
from or_mcp.runs.schema import VERSION, NewerStore, migrate, version_of
from or_mcp.runs.transaction import Away, Locked, Rows, Transaction

# How long one try waits for another program. Whether there is another try is for the store to say.
_BUSY_SECONDS = 3.0
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# The disk is full, cannot be reached or may not be written, or the process may open no more files.
_REFUSED = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}
# After these a connection may be of no more use, though the file is.
_STALE = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY}


class _Trial:
    """Nothing to do but to see whether the file can be written."""

    settled = False
    durable = False
    alone: frozenset[str] = frozenset()

    def do(self, transaction: Transaction) -> None:
        """Write what is there."""
        transaction.execute(f"PRAGMA user_version = {VERSION}")

    def refuse(self, error: BaseException) -> None:
        """There is nobody to be told."""


class Damaged(Exception):
    """The file cannot be used any more."""


class SqliteTransaction:
    """An open transaction on a connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.now = time.time()
        self.has_written = False

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Do one statement."""
        rows = self._connection.execute(sql, values)
        self.has_written = self.has_written or rows.description is None
        return rows

    def each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Do one statement for each row of values."""
        for values in rows:
            self.execute(sql, values)


class Sqlite:
    """The runs of one data directory; without a path, of this process, in memory."""

    def __init__(self, path: Path | None, may_move: Callable[[], bool] = lambda: True) -> None:
        self._path = path
        self._may_move = may_move
        self._writing: sqlite3.Connection | None = None
        self._reading: sqlite3.Connection | None = None
        self._written: int | None = None
        self._read: int | None = None
        self.told: str | None = None

    def write(self, jobs: Sequence[Job]) -> None:
        """Do what many want in one transaction: a commit costs the same for one as for all.

        Raises:
            Away: It cannot be done now. What was done is settled.
        """
        try:
            self._write(jobs)
        except Damaged as damage:
            self._set_aside(str(damage))
            self._write(jobs)

    def read(self, jobs: Sequence[Job]) -> None:
        """The same for work that changes nothing. It waits for no writer.

        Raises:
            Away: It cannot be done now. What was done is settled.
        """
        try:
            with _told_apart(self._forget_reader):
                _together(self._reader(), "BEGIN", jobs)
        except Damaged as damage:
            raise Away(f"it is damaged: {damage}") from damage

    def close(self) -> None:
        """Let go of the file."""
        _let_go(self._reading)
        _let_go(self._writing)

    def _write(self, jobs: Sequence[Job]) -> None:
        with _told_apart(self._forget_writer):
            connection = self._writer()
            # Only a whole synchronisation outlives a loss of power; it costs ten times as much.
            synchronous = "FULL" if any(job.durable for job in jobs) else "NORMAL"
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            _together(connection, "BEGIN IMMEDIATE", jobs or [_Trial()])

    def _writer(self) -> sqlite3.Connection:
        gone = self._writing
        if gone is not None and self._file_id() == self._written:
            return gone
        self._writing = self._open()
        if gone is not None:
            self.told = "The run store was deleted or moved while in use: earlier runs are gone from it."
            with suppress(sqlite3.Error):
                salvage(self._writing, gone)
            _let_go(gone)
        return self._writing

    def _open(self) -> sqlite3.Connection:
        if self._path is None:
            return _connected(":memory:")
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its other files the mode of this one.
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        files = (self._path.with_name(self._path.name + suffix) for suffix in ("", "-wal", "-shm"))
        keep_private(self._path.parent, self._path.parent / "owners", *files)
        self._written = self._file_id()
        try:
            return _connected(str(self._path))
        except NewerStore as newer:
            if not self._may_move():
                raise Away(f"{newer}, and one that does is at work on it") from newer
            raise Damaged(str(newer)) from newer

    def _reader(self) -> sqlite3.Connection:
        if self._path is None:
            return self._writer()
        if self._reading is None or self._file_id() != self._read:
            self._forget_reader()
            self._read = self._file_id()
            target = f"{self._path.absolute().as_uri()}?mode=rw"
            self._reading = sqlite3.connect(target, uri=True, **_OPTIONS)
            self._reading.execute("PRAGMA query_only = ON")
            (version,) = self._reading.execute("PRAGMA user_version").fetchone()
            if version < VERSION:
                # Whoever writes makes it, or brings it up to date, which takes a while where it is large.
                self._forget_reader()
                raise Away("it is only now being made")
        return self._reading

    def _forget_writer(self) -> None:
        if self._path is not None:
            _let_go(self._writing)
            self._writing = None

    def _forget_reader(self) -> None:
        if self._path is not None:
            _let_go(self._reading)
            self._reading = None

    def _set_aside(self, why: str) -> None:
        """Keep a file that cannot be used under another name, with today's spending if it can still be read."""
        if self._path is None:
            raise Away(why)
        self._forget_writer()
        self._forget_reader()
        with _told_apart(lambda: None):
            aside = move_aside(self._path, self._written)
            if aside is None:
                return
            self._writing = self._open()
            read = read_aside(self._writing, aside)
        spending = "what was spent was read from it" if read else "what was spent today could not be read from it"
        self.told = f"The run store could not be used ({why}): it is now {(read or aside).name}, and {spending}."

    def _file_id(self) -> int | None:
        if self._path is None:
            return None
        with suppress(OSError):
            return self._path.stat().st_ino
        return -1


_OPTIONS: dict[str, Any] = {"timeout": _BUSY_SECONDS, "isolation_level": None, "check_same_thread": False}


def _let_go(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()


@contextmanager
def looking(path: Path) -> Generator[Transaction]:
    """A store that is only looked at, by whoever examines it."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, **_OPTIONS)
    try:
        connection.execute("BEGIN")
        yield SqliteTransaction(connection)
    finally:
        connection.close()


def _connected(target: str) -> sqlite3.Connection:
    connection = sqlite3.connect(target, **_OPTIONS)
    try:
        # Before anything is written: what a later version made stays as it is.
        version_of(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        # What SQLite sorts stays in memory: no file is opened once the store is.
        connection.execute("PRAGMA temp_store = MEMORY")
        # Only macOS knows the difference between a disk that was told and one that has written.
        connection.execute("PRAGMA fullfsync = ON")
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _together(connection: sqlite3.Connection, begin: str, jobs: Sequence[Job]) -> None:
    """All jobs in one transaction; if one of them must be undone, each in one of its own."""
    with _transaction(connection, begin) as transaction:
        if all(_is_done(job, transaction) for job in jobs):
            connection.execute("COMMIT")
            settle(jobs)
            return
    for job in jobs:
        with _transaction(connection, begin) as transaction:
            if _is_done(job, transaction):
                connection.execute("COMMIT")
        settle([job])


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Generator[SqliteTransaction]:
    connection.execute(begin)
    try:
        yield SqliteTransaction(connection)
    finally:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")


def _is_done(job: Job, transaction: SqliteTransaction) -> bool:
    try:
        return is_done(job, transaction, sqlite3.Error)
    except sqlite3.Error as error:
        if _code(error) in _BUSY | _DAMAGED | _REFUSED:
            raise
        job.refuse(error)
        return not transaction.has_written


@contextmanager
def _told_apart(renew: Callable[[], None]) -> Generator[None]:
    """Trouble of the disk, by what can be done about it; a connection that is of no more use is renewed."""
    try:
        yield
    except sqlite3.Error as error:
        code = _code(error)
        if code in _BUSY:
            raise Locked("another program has locked it") from error
        if code in _DAMAGED:
            raise Damaged(str(error)) from error
        if code in _STALE:
            renew()
        raise Away(str(error)) from error
    except OSError as error:
        raise Away(error.strerror or str(error)) from error


def _code(error: sqlite3.Error) -> int:
    # The lower byte is the kind; the rest says where it happened.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
