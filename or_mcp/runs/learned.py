"""How long programs waited when they last gave up, remembered for a week by all processes of a data directory."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import anyio.to_thread

from or_mcp.runs.owners import exclusive
from or_mcp.runs.private import write_private
from or_mcp.runs.session import Waiter

logger = logging.getLogger(__name__)

FILE = "patience.json"
# A program may be updated or set differently meanwhile: what was seen of it is tried again after a week.
_KEPT_SECONDS = 7 * 24 * 3600.0
# Names come from outside: neither many nor long ones fill the file.
_MOST_PROGRAMS = 1_000
_LONGEST_NAME = 100


class Seen(NamedTuple):
    """A limit that was seen at work, and when."""

    seconds: float
    at: float


class Learned:
    """The limits of programs, for each caller."""

    def __init__(self, directory: Path | None) -> None:
        self._path = directory / FILE if directory else None
        self._seen = self._read()

    def limit(self, caller: str, client: str, version: str) -> float | None:
        """After how many seconds a program gave up, as far as that was seen within a week."""
        seen = self._seen.get(_key(caller, client, version))
        return seen.seconds if seen is not None and _is_fresh(seen) else None

    def limit_of(self, caller: str, waiter: Waiter) -> float | None:
        """The same of whoever waits: as was seen in its session, else of its program."""
        return waiter.session.limit or self.limit(caller, waiter.client, waiter.version)

    async def learn(self, caller: str, client: str, version: str, seconds: float) -> None:
        """A program has given up after so long; of several limits within a week the shortest counts."""
        known = self.limit(caller, client, version)
        if known is not None and known <= seconds:
            return
        self._seen[_key(caller, client, version)] = Seen(round(seconds, 1), time.time())
        try:
            await anyio.to_thread.run_sync(self._write)
        except OSError as error:
            logger.info("What was learned of %s is kept in memory only: %s", client, error)

    def _write(self) -> None:
        if self._path is None:
            return
        with exclusive(self._path.with_suffix(".lock")):
            self._seen = _bounded(self._read() | self._seen)
            new = self._path.with_suffix(f".{os.getpid()}")
            write_private(new, json.dumps(self._seen))
            new.replace(self._path)

    def _read(self) -> dict[str, Seen]:
        if self._path is None:
            return {}
        try:
            found: dict[str, Any] = json.loads(self._path.read_bytes())
            return {name: Seen(float(seconds), float(at)) for name, (seconds, at) in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            # Whatever stood there, it only saved somebody a time-out.
            return {}


def _key(caller: str, client: str, version: str) -> str:
    return f"{caller} {client[:_LONGEST_NAME]} {version[:_LONGEST_NAME]}"


def _is_fresh(seen: Seen) -> bool:
    return time.time() - seen.at < _KEPT_SECONDS


def _bounded(seen: dict[str, Seen]) -> dict[str, Seen]:
    fresh = sorted((row for row in seen.items() if _is_fresh(row[1])), key=lambda row: row[1].at)
    return dict(fresh[-_MOST_PROGRAMS:])
