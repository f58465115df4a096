"""The durable store of every run: what is asked of it is done in transactions, in threads of its own.

It is given up only when it is lost. While it is locked, full or cannot be reached, runs in flight go on and what they
bring is kept in memory until it can be written; new ones are refused with nothing sent, since they cannot be recorded.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import anyio.to_thread

from or_mcp.runs import queries
from or_mcp.runs.endings import StoreAway, StoreBriefly, StoreLocked, StoreUnreachable
from or_mcp.runs.engines.engine import Engine
from or_mcp.runs.engines.set_aside import unread_today
from or_mcp.runs.engines.sqlite import Sqlite
from or_mcp.runs.fleet import Fleet
from or_mcp.runs.outbox import upload
from or_mcp.runs.owners import Owner
from or_mcp.runs.pending import Pending
from or_mcp.runs.transaction import Away, Brief, Locked, Transaction, Unreachable
from or_mcp.runs.worker import Job, Worker

logger = logging.getLogger(__name__)
T = TypeVar("T")

FILE = "runs.sqlite3"
# How long another program may hold the store before a call that waits for it is refused.
_PATIENCE_SECONDS = 20.0
# How long a database may be away before the same happens: a failover takes less.
_FLEET_PATIENCE_SECONDS = 15.0
_OFF = "Runs are kept in memory only (OR_MCP_STORE is off)."


class Store:
    """Every run of one data directory, or of a database that machines share; without either, of this process."""

    def __init__(self, directory: Path | None, database_url: str | None = None) -> None:
        self._path = directory / FILE if directory and not database_url else None
        self.is_off = not self._path and not database_url
        self.owner = Owner(directory / "owners" if directory else None)
        self._fleet = Fleet(database_url, self.owner, directory) if directory and database_url else None
        self._engine: Engine = self._fleet.engine if self._fleet else Sqlite(self._path, self.owner.is_alone)
        self._pending = Pending()
        # A store that cannot be used now may be later.
        self._away_since: float | None = None
        self._unread_since: float | None = None
        self._away = self._tried([])
        self._writer = Worker(self._write, "or-mcp store", is_restless=self._away is not None)
        self._reader = self._writer if self.is_off else Worker(self._read, "or-mcp reader")
        if self._fleet:
            self._fleet.guard(self._pending)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Ask something. Whoever writes is not waited for.

        Raises:
            StoreAway: It cannot be read now.
        """
        try:
            return await self._reader.run(Job(work, patience=self._patience), to_its_end=False)
        except StoreBriefly:
            raise
        except StoreAway:
            # The file may have been deleted: whoever writes makes a new one.
            await self.write(_nothing)
            return await self._reader.run(Job(work, patience=self._patience), to_its_end=False)

    async def write(self, work: Callable[[Transaction], T], *, durable: bool = False, alone: Iterable[str] = ()) -> T:
        """Do something in a transaction, even if the caller is cancelled meanwhile; it is kept when this returns.

        What is `durable` outlives a loss of power too; nobody else who shares the store is meanwhile at work on what
        `alone` names.

        Raises:
            StoreAway: It cannot be written now. Nothing was done.
        """
        return await self._writer.run(Job(work, durable=durable, alone=alone, patience=self._patience))

    async def keep(
        self, key: str, work: Callable[[Transaction], T], *, durable: bool = False, alone: Iterable[str] = ()
    ) -> T | None:
        """Do something that must not be lost; None if it has to wait until the store is back.

        It may be done more than once, and stands for all that was to be kept under this key before.
        """
        return await self._writer.run(self._pending.added(Job(work, key=key, durable=durable, alone=alone)))

    def post(self, key: str, work: Callable[[Transaction], T], *, alone: Iterable[str] = ()) -> asyncio.Future[Any]:
        """The same, with nobody waiting: in a moment, together with what is written next."""
        job = Job(work, key=key, alone=alone)
        job.done.add_done_callback(lambda done: done.cancelled() or _log(done.exception()))
        self._writer.ride(self._pending.added(job))
        return job.done

    def is_unwritten(self, key: str) -> bool:
        """Whether what was to be kept under a key has still to be written."""
        return key in self._pending

    @property
    def unwritten(self) -> frozenset[str]:
        """The keys of all that has still to be written. Who asks from now on is told of all else."""
        return self._pending.keys

    @property
    def is_fleet(self) -> bool:
        """Whether several machines share it."""
        return self._fleet is not None

    def is_alive(self, owner: str) -> bool:
        """Whether whoever carries a run still does. In a fleet that is so until the store says that it is lost."""
        return self.is_fleet or self.owner.is_alive(owner)

    @property
    def is_read_in_vain(self) -> bool:
        """Whether a database did not answer just now."""
        return self._unread_since is not None

    @property
    def away_seconds(self) -> float:
        """For how long it could not be used; 0 if it can."""
        since = min((at for at in (self._away_since, self._unread_since) if at is not None), default=None)
        return 0.0 if since is None else monotonic() - since

    @property
    def _patience(self) -> float:
        return _FLEET_PATIENCE_SECONDS if self.is_fleet else _PATIENCE_SECONDS

    @property
    def problem(self) -> str | None:
        """What is not as it should be, for everybody who is answered."""
        told = [_OFF] if self.is_off else [] if self._away is None else [self._told(self._away)]
        told += [self._engine.told] if self._engine.told else []
        return " ".join(told) or None

    @property
    def lasting_problem(self) -> str | None:
        """Why it cannot be used, unless it is likely to be back in a moment."""
        return None if self._away is None or isinstance(self._away, Brief) else str(self._away)

    async def strays(self) -> dict[str, str]:
        """Runs that a process left that is gone, and which; asking is also how the others see that this one is not."""
        if self._fleet is None:
            return await self.read(self._left_by_the_dead)
        for record, events in await anyio.to_thread.run_sync(self._fleet.outbox.left):
            await self.write(partial(upload, record=record, events=events), alone=[record.run_id])
            await anyio.to_thread.run_sync(self._fleet.outbox.drop, record)
        return await self.read(self._fleet.lease.beat)

    @property
    def spending_unknown(self) -> str | None:
        """The file that nobody could read today's earlier spending from."""
        unread = unread_today(self._path) if self._path else None
        return unread.name if unread else None

    @property
    def waiting(self) -> int:
        """How many pieces of work wait for it."""
        return self._writer.waiting

    def close(self) -> None:
        """Write what waits, and let go of the file and of everything this process owned."""
        if self._reader is not self._writer:
            self._reader.stop()
        # What a fleet's process brought is in its outbox.
        self._writer.stop(*[_FLEET_PATIENCE_SECONDS] if self.is_fleet else [])
        if len(self._pending):
            logger.error("%d runs could not be written: %s", len(self._pending), self._away)
        if self._fleet:
            self._fleet.close()
        self._engine.close()
        self.owner.release()

    def _left_by_the_dead(self, tx: Transaction) -> dict[str, str]:
        return {look.run_id: look.owner for look in queries.running(tx) if not self.owner.is_alive(look.owner)}

    def _tried(self, jobs: list[Job[Any]]) -> Away | None:
        began = monotonic()
        away = self._trouble_with(jobs)
        self._away_since = None if away is None else self._away_since or began
        return away

    def _trouble_with(self, jobs: list[Job[Any]]) -> Away | None:
        try:
            self.owner.hold()
        except OSError as error:
            # A fleet does not live on this disk.
            if not self.is_fleet:
                return Away(error.strerror or str(error))
        try:
            self._engine.write(jobs)
        except Away as away:
            return away
        return None

    def _write(self, jobs: list[Job[Any]]) -> list[Job[Any]]:
        away = self._tried(jobs)
        left = _left(jobs, away)
        # Said before anybody is answered.
        self._away = away
        self._pending.settled(job for job in jobs if job not in left)
        self._writer.is_restless = away is not None
        for job in jobs:
            if job.key or job not in left:
                job.tell()
        return left

    def _read(self, jobs: list[Job[Any]]) -> list[Job[Any]]:
        began, away = monotonic(), None
        try:
            self._engine.read(jobs)
        except Away as trouble:
            away = trouble
        self._unread_since = None if away is None or not self.is_fleet else self._unread_since or began
        left = _left(jobs, away)
        for job in jobs:
            if job not in left:
                job.tell()
        return left

    def _told(self, away: Away) -> str:
        runs, where = self._pending.runs, "on this machine" if self.is_fleet else "in memory"
        kept = f" What {runs} of them brought is kept {where} until it can be written." if runs else ""
        return f"The run store cannot be written ({away}): paid calls are refused until it can be.{kept}"


def never_usable(directory: Path, database_url: str | None = None) -> str | None:
    """Why runs cannot be kept there; None if they can, or soon can."""
    store = Store(directory, database_url)
    try:
        return store.lasting_problem
    finally:
        store.close()


def _left(jobs: list[Job[Any]], away: Away | None) -> list[Job[Any]]:
    """What is to be tried again; what is not, is refused."""
    if away is None:
        return []
    left: list[Job[Any]] = []
    for job in jobs:
        if job.settled:
            continue
        if job.key or (isinstance(away, Brief) and not job.is_due):
            job.postpone()
            left.append(job)
        else:
            job.refuse(_refusal(away))
    return left


def _refusal(away: Away) -> StoreAway:
    if isinstance(away, Locked):
        return StoreLocked("The run store is locked by another program, and nothing was sent")
    if isinstance(away, Unreachable):
        return StoreUnreachable(f"The run store cannot be reached ({away}), and nothing was sent")
    return StoreAway(f"The run store cannot be used ({away}), and nothing was sent")


def _nothing(tx: Transaction) -> None:
    del tx


def _log(error: BaseException | None) -> None:
    if error is not None:
        logger.error("The run store refused something: %s", error)
