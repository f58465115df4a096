"""What the queries know of the engine below them: one open transaction, and how an engine fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol


class Rows(Protocol):
    """What a statement came back with."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    def fetchone(self) -> Any:
        """The next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Row by row."""
        ...


class Transaction(Protocol):
    """An open transaction. Its SQL is what SQLite and PostgreSQL both speak; row counts, not RETURNING."""

    has_written: bool

    @property
    def now(self) -> float:
        """The time by the engine's clock, in seconds since 1970: the same for all who share the store."""
        ...

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Do one statement."""
        ...

    def each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Do one statement for each row of values."""
        ...


class Away(Exception):
    """The store cannot be used now; it may come back."""


class Brief(Away):
    """It is likely to be back in a moment: whoever can wait, waits."""


class Locked(Brief):
    """Another program holds it."""


class Unreachable(Brief):
    """Its server does not answer."""
