"""Who is carrying a run: each process holds a lock file, which the system releases however the process ends."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class Owner:
    """This process, as the others see it."""

    def __init__(self, directory: Path | None) -> None:
        self.token = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._directory = directory
        self._path = directory / f"{self.token}.lock" if directory else None
        self._descriptor: int | None = None

    def hold(self) -> None:
        """See to it that the others see this process.

        Raises:
            OSError: The lock file cannot be made.
        """
        if self._path is None or (self._descriptor is not None and self._path.exists()):
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        _lock(descriptor, wait=False)
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = descriptor

    def is_alive(self, token: str) -> bool:
        """Whether the process behind a token still runs. What cannot be found out is not taken for its end."""
        if token == self.token:
            return True
        if self._directory is None:
            return False
        path = self._directory / f"{token}.lock"
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        try:
            _lock(descriptor, wait=False)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        path.unlink(missing_ok=True)
        return False

    def is_alone(self) -> bool:
        """Whether no other process is at work on this directory."""
        others = self._directory.glob("*.lock") if self._directory else ()
        return not any(self.is_alive(path.stem) for path in others if path != self._path)

    def release(self) -> None:
        """Stop being an owner."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            if self._path is not None:
                self._path.unlink(missing_ok=True)


@contextmanager
def exclusive(path: Path) -> Generator[None]:
    """One process at a time may be in this block."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        _lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
