"""What runs bring while their database is away is kept on this machine, in a file of the same tables.

It is uploaded when the database is back: by the process that brought it, from memory, or else by the next on this disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

from or_mcp.runs import ledger, queries
from or_mcp.runs.engines.engine import Job
from or_mcp.runs.engines.sqlite import Sqlite
from or_mcp.runs.owners import Owner
from or_mcp.runs.record import RunEvent, RunRecord
from or_mcp.runs.transaction import Away, Transaction

logger = logging.getLogger(__name__)

FILE = "outbox.sqlite3"

Writing = Callable[[Transaction], object]
Left = tuple[RunRecord, list[RunEvent]]


class _Piece:
    """Work for the file."""

    settled = False
    durable = True
    alone: frozenset[str] = frozenset()

    def __init__(self, work: Writing) -> None:
        self._work = work

    def do(self, transaction: Transaction) -> None:
        """Do it."""
        self._work(transaction)

    def refuse(self, error: BaseException) -> None:
        """There is nobody to be told, and what it would have kept is still in memory."""
        logger.error("The outbox refused something: %s", error)


class Outbox:
    """The file of one data directory; every process there uses it."""

    def __init__(self, directory: Path, owner: Owner) -> None:
        self._path = directory / FILE
        self._owner = owner
        self._engine = Sqlite(self._path)
        self._lock = Lock()
        self._holds_ours = False

    def keep(self, works: Sequence[Writing]) -> bool:
        """Keep what this process has brought; whether that could be done."""
        self._holds_ours = True
        return self._do(works)

    def empty(self) -> None:
        """The database has all that this process has brought."""
        if self._holds_ours:
            self._holds_ours = not self._do([self._drop_ours])

    def left(self) -> list[Left]:
        """What processes brought that are gone, and nobody has uploaded."""
        found: list[Left] = []
        if self._path.exists():
            self._do([lambda tx: found.extend(self._left(tx))])
        return found

    def drop(self, record: RunRecord) -> None:
        """The database has it."""
        self._do([lambda tx: tx.execute("DELETE FROM runs WHERE run_id = ? AND seq <= ?", (record.run_id, record.seq))])

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._engine.close()

    def _do(self, works: Sequence[Writing]) -> bool:
        jobs: list[Job] = [_Piece(work) for work in works]
        with self._lock:
            try:
                self._engine.write(jobs)
            except Away as away:
                logger.warning("What runs bring is in memory only: the outbox cannot be written (%s)", away)
                return False
        return True

    def _left(self, tx: Transaction) -> list[Left]:
        rows = tx.execute("SELECT run_id, owner FROM runs").fetchall()
        gone = [run_id for run_id, owner in rows if not self._owner.is_alive(owner)]
        records = [record for run_id in gone if (record := queries.find(tx, run_id, None)) is not None]
        return [(record, queries.events_of(tx, record.run_id)) for record in records]

    def _drop_ours(self, tx: Transaction) -> None:
        tx.execute("DELETE FROM runs WHERE owner = ?", (self._owner.token,))
        # What is spent is counted where the runs are.
        tx.execute("DELETE FROM ledger")
        tx.execute("DELETE FROM spending")


def upload(tx: Transaction, record: RunRecord, events: Sequence[RunEvent]) -> None:
    """Write what a process brought that is gone, and say that it is."""
    queries.save(tx, record, events)
    ledger.lose(tx, record.run_id)
