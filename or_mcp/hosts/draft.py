"""A file is replaced in one step: at every moment there is either the old one or the new one."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path

# Configurations of hosts may hold keys.
_PRIVATE = 0o600


class Draft:
    """A finished file under another name in the same directory, with the mode and owner of what it replaces."""

    def __init__(self, target: Path, content: bytes, found: os.stat_result | None, new_mode: int) -> None:
        self._target = target
        self._path = target.with_name(f".{target.name}.{secrets.token_hex(6)}.or-mcp")
        descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), _PRIVATE)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            self._path.chmod(stat.S_IMODE(found.st_mode) if found else new_mode)
            if found and sys.platform != "win32" and os.geteuid() == 0:
                os.chown(self._path, found.st_uid, found.st_gid)
        except BaseException:
            self.drop()
            raise

    def take_place(self) -> None:
        """Become the file."""
        try:
            self._path.replace(self._target)
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self._path.unlink()
