"""What every engine of the store can do, and what it is given to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from or_mcp.runs.transaction import Transaction


class Job(Protocol):
    """A piece of work in a transaction."""

    settled: bool

    @property
    def durable(self) -> bool:
        """Whether it has to be on the disk itself, whatever happens to the machine."""
        ...

    @property
    def alone(self) -> frozenset[str]:
        """What nobody else who shares the store may be at work on meanwhile, by name."""
        ...

    def do(self, transaction: Transaction) -> None:
        """Do it."""
        ...

    def refuse(self, error: BaseException) -> None:
        """It could not be done."""
        ...


class Engine(Protocol):
    """Keeps runs somewhere."""

    @property
    def told(self) -> str | None:
        """What everybody who is answered should know of it."""
        ...

    def write(self, jobs: Sequence[Job]) -> None:
        """Do what many want in one transaction: a commit costs the same for one as for all.

        Raises:
            Away: It cannot be done now. What was done is settled.
        """
        ...

    def read(self, jobs: Sequence[Job]) -> None:
        """The same for work that changes nothing. It waits for no writer.

        Raises:
            Away: It cannot be done now. What was done is settled.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def is_done(job: Job, transaction: Transaction, trouble: type[Exception]) -> bool:
    """Do a job, and say whether it may stay: one that refuses before it has written anything leaves nothing to undo.

    `trouble` is for whoever asks.
    """
    transaction.has_written = False
    try:
        job.do(transaction)
    except trouble:
        raise
    except Exception as error:  # noqa: BLE001
        job.refuse(error)
    else:
        return True
    return not transaction.has_written


def settle(jobs: Sequence[Job]) -> None:
    """They need not be tried again."""
    for job in jobs:
        job.settled = True
