"""What is kept of runs is for its owner alone, whatever was there before."""

from __future__ import annotations

import logging
import os
import stat
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

logger = logging.getLogger(__name__)

# Everything that group and others may do.
_OTHERS = 0o077


def keep_private(*paths: Path) -> None:
    """Close files and directories that are there to everybody but their owner; where we may not, say how, once."""
    for path in paths if sys.platform != "win32" else ():
        with suppress(FileNotFoundError):
            found = path.stat()
            mode = stat.S_IMODE(found.st_mode) if path.is_file() or path.is_dir() else 0
            if mode & _OTHERS and not (_is_ours_alone(path, found) and _closed(path, mode)):
                _tell(path, 0o700 if path.is_dir() else 0o600)


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that only its owner can read: whoever looks meanwhile sees the old one or the new one whole.

    What is no file, such as a pipe, is written to as it is; a link stays one.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = path.resolve()
    # mkstemp's files are 0600.
    descriptor, made = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(made).replace(target)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def _is_ours_alone(path: Path, found: os.stat_result) -> bool:
    """Whether nobody else can be meant to use it: not /tmp, whoever owns it, and not a home directory."""
    return found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX and path.resolve() != Path.home()


def _closed(path: Path, mode: int) -> bool:
    try:
        path.chmod(mode & ~_OTHERS)
    except OSError:
        return False
    return True


@cache
def _tell(path: Path, mode: int) -> None:
    logger.warning("Others on this machine can read %s: chmod %o %s", path, mode, path)
