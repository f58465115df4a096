"""The durable store: SQLite, shared by every process that uses the data directory.

When the directory cannot be used (read-only, full, corrupt, locked for good, written by a later version), the same
tables live in memory instead, and `problem` says what is not kept.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from or_mcp.runs.owners import Owner
from or_mcp.runs.schema import NewerStore, migrate
from or_mcp.runs.worker import Job, Worker

logger = logging.getLogger(__name__)
T = TypeVar("T")

FILE = "runs.sqlite3"
_BUSY_SECONDS = 5


class Store:
    """Every run of one data directory. Work on it is done in one thread, in transactions."""

    def __init__(self, directory: Path | None) -> None:
        self._path = directory / FILE if directory else None
        self._in_memory = directory is None
        self.problem: str | None = None if directory else "Runs are kept in memory only (OR_MCP_STORE is off)."
        self._connection = self._open()
        self._inode = self._file_id()
        self.owner = self._own()
        self._worker = Worker(self._do)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something in a transaction; if the disk refuses, do it in memory.

        It is done even if the caller is cancelled meanwhile, and it is on disk when this returns.
        """
        return await self._worker.run(work)

    def post(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Do something soon, after all that was asked for before it, with nobody waiting."""
        self._worker.post(work).add_done_callback(_log_failure)

    @property
    def waiting(self) -> int:
        """How many pieces of work wait for it."""
        return self._worker.waiting

    def close(self) -> None:
        """Let go of the file and of everything this process owned."""
        self._worker.stop()
        self._connection.close()
        self.owner.release()

    def _open(self) -> sqlite3.Connection:
        if self._path is not None:
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                return _connect(str(self._path))
            except (sqlite3.Error, OSError, NewerStore) as error:
                self._lose(error)
        return _connect(":memory:")

    def _own(self) -> Owner:
        try:
            return Owner(None if self._in_memory or self._path is None else self._path.parent / "owners")
        except OSError as error:
            self._lose(error)
            return Owner(None)

    def _do(self, jobs: list[Job[sqlite3.Connection, Any]]) -> None:
        """Do what many callers want in one transaction: a commit costs the same for one as for all."""
        if self._was_deleted():
            self._connection.close()
            self._connection = self._open()
            self._inode = self._file_id()
            self.problem = self.problem or "The run store was deleted while in use: earlier runs are gone."
        try:
            _transaction(self._connection, jobs)
            return
        except sqlite3.Error as error:
            if self._in_memory:
                raise
            self._lose(error)
        self._move_to_memory()
        _transaction(self._connection, jobs)

    def _lose(self, error: Exception) -> None:
        self._in_memory = True
        self.problem = f"Runs are kept in memory only: the run store cannot be used ({error})."

    def _move_to_memory(self) -> None:
        """Go on in memory, with whatever can still be read."""
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with suppress(sqlite3.Error):
            self._connection.backup(memory)
        with suppress(sqlite3.Error):
            self._connection.close()
        migrate(memory)
        self._connection = memory

    def _file_id(self) -> int | None:
        if self._in_memory or self._path is None:
            return None
        with suppress(OSError):
            return self._path.stat().st_ino
        return None

    def _was_deleted(self) -> bool:
        return not self._in_memory and self._file_id() != self._inode


def _log_failure(done: asyncio.Future[object]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        logger.error("The run store could not be written: %s", error)


def _connect(target: str) -> sqlite3.Connection:
    connection = sqlite3.connect(target, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection)
        # A file that can be read but not written fails here, not at the first paid call.
        _transaction(connection, [])
    except BaseException:
        connection.close()
        raise
    return connection


def _transaction(connection: sqlite3.Connection, jobs: list[Job[sqlite3.Connection, Any]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for job in jobs:
            # One caller's refusal must not undo what the others did.
            connection.execute("SAVEPOINT job")
            try:
                job.do(connection)
            except sqlite3.Error:
                raise
            except Exception as refused:  # noqa: BLE001
                connection.execute("ROLLBACK TO job")
                job.refuse(refused)
            connection.execute("RELEASE job")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
