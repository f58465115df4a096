"""Vectors that were paid for, kept on disk by what they were made of, shared by every process.

Trouble with the file (read-only, full, corrupt, locked for good) is never a failure: `problem` says what is not kept.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")

FILE = "embeddings.sqlite3"
# With 1,024 numbers a vector both are reached at about the same time.
MOST_ROWS = 500_000
MOST_BYTES = 2 * 1024**3
_VERSION = 1
# How long another process may hold it: it is a cache, and a text costs less than a long wait.
_BUSY_SECONDS = 5.0
# SQLite took 999 parameters in one statement before 3.32.
_ASKED_AT_ONCE = 500
_TABLE = """
    CREATE TABLE IF NOT EXISTS vectors (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE,
        vector BLOB NOT NULL,
        kept REAL NOT NULL
    )
"""


class VectorCache:
    """The vectors of one data directory. To be used in a thread, by one at a time; None keeps nothing."""

    def __init__(self, directory: Path | None, *, most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES) -> None:
        self._path = directory / FILE if directory is not None else None
        self._most_rows = most_rows
        self._most_bytes = most_bytes
        self._connection: sqlite3.Connection | None = None
        self._grew = False
        self.problem: str | None = None

    def __enter__(self) -> VectorCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The vectors that are kept under these keys."""
        return self._try(lambda connection: _read(connection, keys), {})

    def write(self, vectors: Mapping[bytes, bytes]) -> None:
        """Keep these vectors."""
        self._grew = True
        self._try(lambda connection: _write(connection, vectors), None)

    def close(self) -> None:
        """Let go of the file; when it has grown too large, the oldest vectors go."""
        if self._grew:
            self._try(self._prune, None)
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _try(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        if self._path is None or self.problem is not None:
            return otherwise
        try:
            if self._connection is None:
                self._connection = _connect(self._path)
            return work(self._connection)
        except (sqlite3.Error, OSError) as error:
            self.problem = (
                f"The embedding cache {self._path} cannot be used ({error}): "
                "what was embedded now would be paid for again."
            )
            return otherwise

    def _prune(self, connection: sqlite3.Connection) -> None:
        while self._too_large(connection):
            with connection:
                # Ids grow with time. A tenth at once, so that this is rare.
                connection.execute(
                    "DELETE FROM vectors WHERE id <= (SELECT min(id) + (max(id) - min(id)) / 10 FROM vectors)"
                )

    def _too_large(self, connection: sqlite3.Connection) -> bool:
        (rows,) = connection.execute("SELECT coalesce(max(id) - min(id) + 1, 0) FROM vectors").fetchone()
        used = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
        return rows > 0 and (rows > self._most_rows or used * _pragma(connection, "page_size") > self._most_bytes)


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        version = _pragma(connection, "user_version")
        if version > _VERSION:
            raise sqlite3.DatabaseError(f"it has version {version}, this program knows {_VERSION}")
        if version < _VERSION:
            with connection:
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA user_version = {_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def _read(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for begin in range(0, len(keys), _ASKED_AT_ONCE):
        asked = keys[begin : begin + _ASKED_AT_ONCE]
        marks = ",".join("?" * len(asked))
        found.update(connection.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", asked))  # noqa: S608
    return {key: vector for key, vector in found.items() if vector and len(vector) % 4 == 0}


def _write(connection: sqlite3.Connection, vectors: Mapping[bytes, bytes]) -> None:
    now = time.time()
    with connection:
        connection.executemany(
            "INSERT OR REPLACE INTO vectors (key, vector, kept) VALUES (?, ?, ?)",
            [(key, vector, now) for key, vector in vectors.items()],
        )
