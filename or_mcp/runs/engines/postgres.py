"""PostgreSQL, shared by several machines. Only this file knows `psycopg`, and it is imported late.

One connection writes and another reads. Nothing is kept in a session, so a pooler may hand out another one for each
transaction. Any host may be cut off at any point: what was not heard to be done is done again.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from time import monotonic, sleep
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from or_mcp.runs.engines.engine import Job, is_done, settle
from or_mcp.runs.engines.told import LASTING, meaning
from or_mcp.runs.lease import Lease
from or_mcp.runs.schema import MIGRATIONS, READABLE_BY, VERSION, NewerStore
from or_mcp.runs.transaction import Away, Rows, Unreachable

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
_ALONE = "SELECT count(pg_advisory_xact_lock(name)) FROM unnest(CAST(? AS BIGINT[])) AS name"
_NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"
# A statement that is not answered in this time: the server, or something on the way, hangs.
_HANGS_SECONDS = 7.0
# A database that is only now starting, or failing over, is waited for.
_START_SECONDS, _AGAIN_SECONDS = 15.0, 0.5
# Each name costs a slot of the server's lock table, and what is locked is held for the whole batch.
_AT_ONCE = 64
# A server that is a standby now refuses to write; the one that does is found by connecting again.
_STANDBY = {"25006"}

_TYPES = {"INTEGER": "BIGINT", "REAL": "DOUBLE PRECISION", "BLOB": "BYTEA"}
_SHARED = """
    CREATE TABLE schema (version INTEGER NOT NULL, readable_by INTEGER NOT NULL);
    CREATE TABLE shared (name TEXT PRIMARY KEY, value BYTEA NOT NULL);
    CREATE TABLE processes (
        token TEXT PRIMARY KEY, host TEXT NOT NULL, version TEXT NOT NULL, beat DOUBLE PRECISION NOT NULL
    );
    INSERT INTO schema VALUES (0, 0);
"""
# A text is not deleted while a run comes to refer to it. Rows that are written again find room on their page.
_TUNED = """
    ALTER TABLE run_pieces ADD FOREIGN KEY (hash) REFERENCES pieces (hash);
    ALTER TABLE runs SET (fillfactor = 80);
    ALTER TABLE ledger SET (fillfactor = 50);
    ALTER TABLE spending SET (fillfactor = 50);
    ALTER TABLE processes SET (fillfactor = 50);
"""
# A lock's name is a number: this is or-mcp in ASCII.
_MIGRATES = 0x6F722D6D6370
"""The advisory lock of whoever changes the schema: `or-mcp`, as a number."""


class PostgresTransaction:
    """Statements on a connection, in a transaction or each alone."""

    def __init__(self, line: Line, connection: Connection) -> None:
        self._line = line
        self._connection = connection
        self._now: float | None = None
        self.has_written = False

    @property
    def now(self) -> float:
        """The time by the server's clock."""
        if self._now is None:
            (now,) = self._statement(_NOW, ()).fetchall()
            self._now = float(now[0])
        return self._now

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Do one statement."""
        rows = self._statement(sql, values)
        self.has_written = self.has_written or rows.description is None
        return rows

    def each(self, sql: str, rows: Iterable[Sequence[Any]]) -> list[int]:
        """Do one statement for each row of values, in one round trip."""
        given = list(rows)
        if len(given) < 2:
            return [self.execute(sql, values).rowcount for values in given]
        self.has_written = True
        with self._connection.pipeline():
            done = [self._statement(sql, values) for values in given]
        return [each.rowcount for each in done]

    def _statement(self, sql: str, values: Sequence[Any]) -> psycopg.Cursor[tuple[Any, ...]]:
        self._line.waits_since = monotonic()
        return self._connection.execute(_spoken(sql), [_writable(value) for value in values] or None)


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
            words = told(error)
            raise (Away if words in LASTING else Unreachable)(words) from error
        finally:
            self.waits_since = None

    @contextmanager
    def transaction(self, alone: Iterable[str] = ()) -> Generator[PostgresTransaction]:
        """The same, in a transaction; `psycopg.Rollback` undoes it."""
        with self.used() as tx, self.block():
            tx.execute(_BOUNDS)
            names = sorted({_number(name) for name in alone})
            if names:
                # In one order for everybody: nobody waits for whoever waits for him.
                tx.execute(_ALONE, (names,))
            tx.has_written = False
            yield tx

    def block(self) -> Any:
        """What is done in it is done together."""
        if self._connection is None:
            raise Unreachable("it is not connected")
        return self._connection.transaction()

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


def told(error: psycopg.Error) -> str:
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


def statements(found: int) -> Iterator[str]:
    """What makes this version's tables out of those of another; of nothing if that is -1."""
    parts = [_SHARED] if found < 0 else []
    parts += [_translated(migration) for migration in MIGRATIONS[max(found, 0) :]]
    parts += [_TUNED] if found < 0 else []
    for part in parts:
        yield from (statement.strip() for statement in part.split(";") if statement.strip())


def schema() -> str:
    """The statements that make an empty database into this version's."""
    version = f"UPDATE schema SET version = {VERSION}, readable_by = {READABLE_BY};"  # noqa: S608
    return ";\n".join([*statements(-1), version])


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
    found = tx.execute("SELECT to_regclass('schema') IS NOT NULL").fetchone()
    if not found or not found[0]:
        return -1
    version, readable_by = tx.execute("SELECT version, readable_by FROM schema").fetchone()
    if readable_by > VERSION:
        newer = NewerStore(f"it has version {version}, this program knows {VERSION}")
        raise Away(str(newer)) from newer
    return version


def _attempt(job: Job, tx: PostgresTransaction) -> bool:
    return is_done(job, tx, psycopg.Error)


def _translated(migration: str) -> str:
    return re.sub(r"\b(INTEGER|REAL|BLOB)\b", lambda found: _TYPES[found[0]], migration)


@cache
def _spoken(sql: str) -> bytes:
    return sql.replace("%", "%%").replace("?", "%s").encode()


def _writable(value: Any) -> Any:
    """PostgreSQL keeps no NUL in a text."""
    return value.replace("\0", "�") if isinstance(value, str) and "\0" in value else value


def _number(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest(), signed=True)
