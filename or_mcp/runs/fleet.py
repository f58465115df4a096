"""What a process needs where machines share a database: its lease, its outbox, and a thread that waits for nobody."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Event, Thread
from typing import Any

from or_mcp.runs.lease import Lease
from or_mcp.runs.outbox import Outbox
from or_mcp.runs.owners import Owner
from or_mcp.runs.pending import Pending
from or_mcp.runs.worker import Job

logger = logging.getLogger(__name__)

# A third of the wait below: nothing waits much longer than it should.
_LOOK_EVERY_SECONDS = 0.25
# A database that works answers sooner. With what is saved once a second, less than 2 s of text are in memory only.
_OUTBOX_AFTER_SECONDS = 0.75


class Fleet:
    """One process among those that share a database."""

    def __init__(self, database_url: str, owner: Owner, directory: Path) -> None:
        from or_mcp.runs.engines.postgres import Postgres

        self.lease = Lease(owner.token)
        self.engine = Postgres(database_url, self.lease)
        self.outbox = Outbox(directory, owner)
        self._kept: dict[str, Job[Any]] = {}
        self._ended = Event()
        self._thread: Thread | None = None

    def guard(self, pending: Pending) -> None:
        """From here on no answer is waited for without end, and what waits for the database is kept on this disk."""
        self._thread = Thread(target=self._guard, args=(pending,), name="or-mcp guard", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; what is in the outbox stays there."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.outbox.close()

    def _guard(self, pending: Pending) -> None:
        while not self._ended.wait(_LOOK_EVERY_SECONDS):
            try:
                self.engine.cut_what_hangs()
                self._look_after(pending)
            except Exception:
                # Whatever is wrong now: without this thread a database that hangs would hang everything.
                logger.exception("The guard of the run store stumbled")

    def _look_after(self, pending: Pending) -> None:
        jobs, seconds = pending.waiting()
        if not jobs:
            self._kept.clear()
            self.outbox.empty()
        elif seconds > _OUTBOX_AFTER_SECONDS:
            fresh = [job for job in jobs if self._kept.get(job.key) is not job]
            if fresh and self.outbox.keep([job.work for job in fresh]):
                self._kept |= {job.key: job for job in fresh}
            for job in fresh:
                # Runs go on, and bring more, while the database is away.
                job.tell_that_it_waits()
