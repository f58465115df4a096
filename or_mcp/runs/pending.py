"""What must not be lost and is not written yet."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from or_mcp.runs.worker import Job

JobT = TypeVar("JobT", bound=Job[Any])


class Pending:
    """The latest work under each key, from any thread."""

    def __init__(self) -> None:
        self._jobs: dict[str, tuple[Job[Any], float]] = {}
        self._lock = Lock()

    def __contains__(self, key: str) -> bool:
        return key in self._jobs

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def keys(self) -> frozenset[str]:
        """All keys."""
        with self._lock:
            return frozenset(self._jobs)

    @property
    def runs(self) -> int:
        """How many runs have brought something; what else is pending says so in its key, before a space."""
        return sum(" " not in key for key in list(self._jobs))

    def added(self, job: JobT) -> JobT:
        """The job, which is pending from now on in place of any under the same key."""
        with self._lock:
            _, since = self._jobs.get(job.key, (job, monotonic()))
            self._jobs[job.key] = (job, since)
        return job

    def settled(self, jobs: Iterable[Job[Any]]) -> None:
        """They are not pending any more, unless others stand for them."""
        with self._lock:
            for job in jobs:
                if job.key and self._jobs.get(job.key, (None,))[0] is job:
                    del self._jobs[job.key]

    def waiting(self) -> tuple[list[Job[Any]], float]:
        """All of it, and for how many seconds the oldest has been."""
        with self._lock:
            jobs = list(self._jobs.values())
        return [job for job, _ in jobs], max((monotonic() - since for _, since in jobs), default=0.0)
