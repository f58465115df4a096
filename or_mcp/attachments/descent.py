"""Opening a file beneath a directory, in such a way that nothing swapped in meanwhile is followed.

Where the platform opens relative to a directory (POSIX), each step is taken from the one before, and a symbolic link
in any place ends it. Elsewhere (Windows) the file is opened and then found again: a directory flipped several times
within one call could defeat that, though making links there needs a privilege.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

STEPWISE = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")

# O_PATH passes through directories that may be entered but not listed. NONBLOCK: a FIFO must not make us wait.
_CLOSED = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_ENTER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | _CLOSED
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0) | _CLOSED


class NotAFile(OSError):
    """A directory, device, FIFO or socket."""


def open_beneath(root: Path, steps: Sequence[str]) -> int:
    """A descriptor of the regular file at `root` and these names, none of which is a link.

    Raises:
        NotAFile: It is something else than a regular file.
        OSError: It is missing, may not be read, or is not where it was.
    """
    if not steps or ".." in steps:
        raise NotAFile
    if not STEPWISE:
        return _open_and_find_again(root.joinpath(*steps))
    *directories, name = steps
    here = os.open(root, _ENTER)
    try:
        for directory in directories:
            here = _enter(here, directory)
        # Looked at first: opening a device can already do something.
        require_file(os.stat(name, dir_fd=here, follow_symlinks=False))
        return _opened(os.open(name, _READ, dir_fd=here))
    finally:
        os.close(here)


def _enter(here: int, directory: str) -> int:
    below = os.open(directory, _ENTER, dir_fd=here)
    os.close(here)
    return below


def _opened(descriptor: int) -> int:
    """The descriptor, if what was opened is a file after all."""
    try:
        require_file(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def require_file(found: os.stat_result) -> None:
    """Refuse what is no regular file, links among them."""
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, "a symbolic link")
    if not stat.S_ISREG(found.st_mode):
        raise NotAFile


def _open_and_find_again(path: Path) -> int:
    require_file(path.lstat())
    descriptor = _opened(os.open(path, _READ))
    try:
        if path.resolve() != path or not os.path.samestat(os.fstat(descriptor), path.lstat()):
            raise OSError(errno.ELOOP, "moved while it was opened")
    except (OSError, RuntimeError):
        os.close(descriptor)
        raise
    return descriptor
