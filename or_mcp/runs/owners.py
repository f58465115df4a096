"""Who is carrying a run: each process holds a lock file, which the system releases however the process ends."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path


class Owner:
    """This process, as the others see it."""

    def __init__(self, directory: Path | None) -> None:
        self.token = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._directory = directory
        self._path = directory / f"{self.token}.lock" if directory else None
        self._descriptor: int | None = None
        if self._path is not None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
            _lock(self._descriptor)

    def is_alive(self, token: str) -> bool:
        """Whether the process behind a token still runs."""
        if token == self.token:
            return True
        if self._directory is None:
            return False
        path = self._directory / f"{token}.lock"
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError:
            return False
        try:
            _lock(descriptor)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        path.unlink(missing_ok=True)
        return False

    def release(self) -> None:
        """Stop being an owner."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
