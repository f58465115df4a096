"""Files that are replaced at once: whoever reads meanwhile, or after a crash, sees the old one or the new one whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO

UNFINISHED = ".unfinished-"
"""How a file of a run begins until it is whole."""
_OF_RUNS = ("run_", UNFINISHED)


def replace_file(path: Path, fill: Callable[[IO[bytes]], object], *, prefix: str = "") -> None:
    """Write a file that its owner alone can read, in place of the one before; `prefix` names it until it is whole.

    Raises:
        OSError: It could not be written. What was there before still is.
    """
    # mkstemp's files are 0600.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix or f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(handle)
        put_in_place(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def put_in_place(whole: Path, path: Path) -> None:
    """Give a file whose bytes are on the disk itself its name, which is there too when this returns.

    Raises:
        OSError: It could not be renamed.
    """
    whole.replace(path)
    # Windows opens no folder, and some file systems synchronise none: SQLite too lets that pass.
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def forget_files(folders: Iterable[Path], moment: datetime) -> None:
    """Delete what runs left in these folders before: a file is younger than its run, so its run is forgotten too."""
    for path in (path for folder in folders for path in folder.glob("*")):
        with suppress(OSError):
            if path.name.startswith(_OF_RUNS) and path.stat().st_mtime < moment.timestamp():
                path.unlink()
