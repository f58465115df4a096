"""PostgreSQL, shared by several machines. Only this file knows `psycopg`, and it is imported late.

One connection writes and another reads. Nothing is kept in a session, so a pooler may hand out another one for each
transaction. Any host may be cut off at any point: what was not heard to be done is done again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import socket
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from time import monotonic, sleep
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from or_mcp.runs.engines.engine import Job, is_done, settle
from or_mcp.runs.engines.tables import statements
from or_mcp.runs.engines.told import LASTING, meaning
from or_mcp.runs.lease import Lease
from or_mcp.runs.schema import READABLE_BY, VERSION, NewerStore
from or_mcp.runs.transaction import Away, Rows, Unreachable

# A connection that breaks is told of once, by whoever asked.
logging.getLogger("psycopg").setLevel(logging.ERROR)

Connection = psycopg.Connection[tuple[Any, ...]]

# What is not said in the URL. A server that is gone is noticed within seconds; after a failover the one that writes
# is looked for.
_DEFAULTS = {
    "application_name": "or-mcp",
    "connect_timeout": 3,
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
    "target_session_attrs": "read-write",
}
# A host that stands still must not hold what others wait for.
_BOUNDS = (
    "SELECT set_config('statement_timeout', '5s', true), set_config('lock_timeout', '5s', true), "
    "set_config('idle_in_transaction_session_timeout', '5s', true)"
)
_NOW = "CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"
# What time it is once all are locked.
_ALONE = f"SELECT {_NOW}, count(pg_advisory_xact_lock(name)) FROM unnest(CAST(? AS BIGINT[])) AS name"  # noqa: S608
# A statement that is not answered in this time: the server, or something on the way, hangs.
_HANGS_SECONDS = 7.0
# A database that is only now starting, or failing over, is waited for.
_START_SECONDS, _AGAIN_SECONDS = 15.0, 0.5
# Each name costs a slot of the server's lock table, and what is locked is held for the whole batch.
_AT_ONCE = 64
# A server that is a standby now refuses to write; the one that does is found by connecting again.
_STANDBY = {"25006"}

_MIGRATES = 0x6F722D6D6370
"""The advisory lock of whoever changes the schema: `or-mcp`, as a number."""


class _Answer:
    """What a statement came back with, or will: in a pipeline it is waited for only by whoever asks."""

    def __init__(self, cursor: psycopg.Cursor[tuple[Any, ...]], pipeline: psycopg.Pipeline | None) -> None:
        self._cursor = cursor
        self._pipeline = pipeline
        self.fetchone = cursor.fetchone
        self.fetchall = cursor.fetchall

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        if self._pipeline is not None:
            self._pipeline.sync()
        return self._cursor.rowcount

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._cursor)


class PostgresTransaction:
    """Statements on a connection: in a pipelined transaction, or each alone.

    In a pipeline nothing is waited for but what is asked for: all that is written costs one round trip.
    """

    def __init__(self, line: Line, connection: Connection, pipeline: psycopg.Pipeline | None = None) -> None:
        self._line = line
        self._connection = connection
        self._pipeline = pipeline
        self._clock: Rows | None = None
        self._now: float | None = None
        self.has_written = False

    @property
    def now(self) -> float:
        """The time by the server's clock."""
        if self._now is None:
            row = (self._clock or self.execute(f"SELECT {_NOW}")).fetchone()
            self._now = float(row[0])
        return self._now

    def begin(self, alone: Iterable[str]) -> None:
        """What comes first in a transaction: its bounds, and nobody else is at work on what `alone` names."""
        self.execute(_BOUNDS)
        # In one order for everybody: nobody waits for whoever waits for him.
        self._clock = self.execute(_ALONE, (sorted({_number(name) for name in alone}),))

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Do one statement."""
        self.has_written = self.has_written or not sql.lstrip().startswith("SELECT")
        self._line.waits_since = monotonic()
        given = [_writable(value) for value in values] or None
        return _Answer(self._connection.execute(_spoken(sql), given), self._pipeline)

    def each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Do one statement for each row of values."""
        for values in rows:
            self.execute(sql, values)


class Line:
    """One connection, opened when it is needed, and cut when it lets somebody wait for too long."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self.waits_since: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can be used as it is."""
        return self._connection is not None and not self._connection.closed

    @contextmanager
    def used(self) -> Generator[PostgresTransaction]:
        """Statements on it, each alone.

        Raises:
            Unreachable: The server does not answer, or not as one that can be used now.
        """
        self.waits_since = monotonic()
        try:
            if self._connection is None or self._connection.closed:
                self._connection = connected(self._url)
            yield PostgresTransaction(self, self._connection)
        except psycopg.Error as error:
            if not passes(error):
                raise
            if not self.is_open or error.sqlstate in _STANDBY:
                self.close()
            words = words_of(error)
            raise (Away if words in LASTING else Unreachable)(words) from error
        finally:
            self.waits_since = None

    @contextmanager
    def transaction(self, alone: Iterable[str] = ()) -> Generator[PostgresTransaction]:
        """The same, in a transaction; `psycopg.Rollback` undoes it."""
        with self.used(), self.open.pipeline() as pipeline, self.block():
            tx = PostgresTransaction(self, self.open, pipeline)
            tx.begin(alone)
            yield tx

    @property
    def open(self) -> Connection:
        """The connection as it is."""
        if self._connection is None:
            raise Unreachable("it is not connected")
        return self._connection

    def block(self) -> Any:
        """What is done in it is done together."""
        return self.open.transaction()

    def cut_if_it_hangs(self) -> None:
        """Whoever waits for an answer gets an error instead, from any thread."""
        since, connection = self.waits_since, self._connection
        if since is None or connection is None or monotonic() - since < _HANGS_SECONDS:
            return
        with suppress(psycopg.Error, OSError), closing(socket.socket(fileno=os.dup(connection.fileno()))) as wire:
            if self.waits_since == since:
                wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it."""
        gone, self._connection = self._connection, None
        if gone is not None:
            with suppress(psycopg.Error):
                gone.close()


class Postgres:
    """The runs of a fleet."""

    told: str | None = None

    def __init__(self, url: str, lease: Lease) -> None:
        self._lease = lease
        self._writing, self._reading = Line(url), Line(url)

    def write(self, jobs: Sequence[Job]) -> None:
        """Do what many want in one transaction."""
        self._be_ready()
        for begin in range(0, len(jobs), _AT_ONCE):
            self._together(jobs[begin : begin + _AT_ONCE])

    def read(self, jobs: Sequence[Job]) -> None:
        """The same for work that changes nothing but this process's beat. Each statement stands alone."""
        for job in jobs:
            try:
                with self._reading.used() as tx:
                    _attempt(job, tx)
            except psycopg.Error as error:
                job.refuse(error)
            settle([job])

    def cut_what_hangs(self) -> None:
        """No answer is waited for longer than a server that works would take."""
        self._writing.cut_if_it_hangs()
        self._reading.cut_if_it_hangs()

    def close(self) -> None:
        """Say that this process ends, and let go."""
        with suppress(Away, psycopg.Error), self._writing.used() as tx:
            self._lease.leave(tx)
        self._writing.close()
        self._reading.close()

    def _be_ready(self) -> None:
        """Before anything is written by a connection: the tables are there, and this process has been seen."""
        if not self._writing.is_open:
            with self._writing.used() as tx:
                migrate(self._writing, tx)
                self._lease.beat(tx)

    def _together(self, jobs: Sequence[Job]) -> None:
        """All jobs in one transaction; if one of them must be undone, each in one of its own."""
        try:
            if self._committed(jobs):
                settle(jobs)
                return
        except psycopg.Error:
            pass
        except Away:
            if len(jobs) == 1 or not self._writing.is_open:
                raise
        # What one job waits for in vain is no trouble of the others', as long as the server answers.
        troubles = [trouble for job in jobs if (trouble := self._by_itself(job))]
        if troubles:
            raise troubles[0]

    def _by_itself(self, job: Job) -> Away | None:
        try:
            self._committed([job])
        except psycopg.Error as error:
            job.refuse(error)
        except Away as away:
            if not self._writing.is_open:
                raise
            return away
        settle([job])
        return None

    def _committed(self, jobs: Sequence[Job]) -> bool:
        """Whether all of them could be done, or refused, together."""
        is_whole = False
        with self._writing.transaction(name for job in jobs for name in job.alone) as tx:
            is_whole = all(_attempt(job, tx) for job in jobs)
            if not is_whole:
                raise psycopg.Rollback
        return is_whole


def shared(url: str, name: str, value: bytes) -> bytes:
    """What all who use a database share by a name: whoever is first gives the value.

    Raises:
        Away: It cannot be used now.
    """
    end = monotonic() + _START_SECONDS
    with closing(Line(url)) as line:
        while True:
            try:
                return _shared(line, name, value)
            except Unreachable:
                if monotonic() > end:
                    raise
                sleep(_AGAIN_SECONDS)


def _shared(line: Line, name: str, value: bytes) -> bytes:
    with line.used() as tx:
        migrate(line, tx)
        tx.execute("INSERT INTO shared (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, value))
        (kept,) = tx.execute("SELECT value FROM shared WHERE name = ?", (name,)).fetchone()
        return kept


def connected(url: str) -> Connection:
    """A connection that keeps nothing in its session."""
    given = conninfo_to_dict(url)
    missing: dict[str, Any] = {name: value for name, value in _DEFAULTS.items() if name not in given}
    return psycopg.connect(url, autocommit=True, prepare_threshold=None, **missing)


def passes(error: psycopg.Error) -> bool:
    """Whether it says nothing of the statement, and the same may succeed in a moment."""
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) or error.sqlstate in _STANDBY


def words_of(error: psycopg.Error) -> str:
    """What was wrong, without anything that may be part of a URL."""
    if error.sqlstate and error.diag.message_primary:
        return error.diag.message_primary
    return meaning(str(error))


def migrate(line: Line, tx: PostgresTransaction) -> None:
    """Bring the tables up to this version, unless somebody else is at it already.

    Raises:
        Away: They are beyond what this version can work on.
    """
    if _version(tx) >= VERSION:
        return
    with line.block():
        tx.execute("SELECT pg_advisory_xact_lock(?)", (_MIGRATES,))
        found = _version(tx)
        for statement in statements(found):
            tx.execute(statement)
        if found < VERSION:
            tx.execute("UPDATE schema SET version = ?, readable_by = ?", (VERSION, READABLE_BY))
    with suppress(psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidParameterValue, psycopg.errors.SyntaxError):
        # Where this server can: a third less is written of long texts.
        tx.execute("ALTER TABLE runs ALTER result SET COMPRESSION lz4, ALTER context SET COMPRESSION lz4")


@contextmanager
def looking(url: str) -> Generator[PostgresTransaction]:
    """A database that is only looked at, all at one moment, by whoever examines it; an empty one gets its tables.

    Raises:
        Away: It cannot be used now.
    """
    with closing(Line(url)) as line, line.used() as tx:
        if _version(tx) < 0:
            migrate(line, tx)
        with line.block():
            tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield tx


def _version(tx: PostgresTransaction) -> int:
    # The function alone goes on saying, behind a lock, what it said before somebody else made the tables.
    found = tx.execute("SELECT EXISTS (SELECT 1 FROM pg_class WHERE oid = to_regclass('schema'))").fetchone()
    if not found or not found[0]:
        return -1
    version, readable_by = tx.execute("SELECT version, readable_by FROM schema").fetchone()
    if readable_by > VERSION:
        newer = NewerStore(f"it has version {version}, this program knows {VERSION}")
        raise Away(str(newer)) from newer
    return version


def _attempt(job: Job, tx: PostgresTransaction) -> bool:
    return is_done(job, tx, psycopg.Error)


@cache
def _spoken(sql: str) -> bytes:
    return sql.replace("%", "%%").replace("?", "%s").encode()


def _writable(value: Any) -> Any:
    """PostgreSQL keeps no NUL in a text."""
    return value.replace("\0", "�") if isinstance(value, str) and "\0" in value else value


def _number(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest(), signed=True)
