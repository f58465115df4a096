"""Vectors as files that other programs read: a `.npy` matrix, and a `.jsonl` with the texts beside it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from or_mcp.openrouter.errors import InvalidRequest

if TYPE_CHECKING:
    from or_mcp.vectors.matrix import Matrix

FOLDER = "embeddings"


@dataclass(frozen=True, slots=True)
class Saved:
    """Where they are."""

    npy: str
    jsonl: str
    rows: int
    bytes: int


def save(data_dir: Path, name: str, matrix: Matrix, texts: Sequence[str]) -> Saved:
    """Write both files, each whole or not at all.

    Raises:
        InvalidRequest: The disk refused. The vectors are kept in the cache if that can still be written.
    """
    import numpy as np

    folder = data_dir / FOLDER
    npy, jsonl = folder / f"{name}.npy", folder / f"{name}.jsonl"
    lines = "".join(json.dumps({"index": n, "text": text}, ensure_ascii=False) + "\n" for n, text in enumerate(texts))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(jsonl, lambda file: file.write(lines.encode(errors="backslashreplace")))
        _write(npy, lambda file: np.save(file, np.ascontiguousarray(matrix, dtype="<f4"), allow_pickle=False))
        return Saved(str(npy), str(jsonl), len(texts), npy.stat().st_size)
    except OSError as error:
        raise InvalidRequest(
            f"output file could not write to {folder} ({error.strerror or error}); ranking and similarity need no file"
        ) from error


def _write(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    # mkstemp's files are 0600.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-")
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
