"""Files that are replaced at once: whoever reads meanwhile, or after a crash, sees the old one or the new one whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO


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
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
