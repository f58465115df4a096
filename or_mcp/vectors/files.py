"""Vectors as files that other programs read: a `.npy` matrix, and a `.jsonl` with the texts beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from or_mcp.disk import replace_file
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.vectors.decoding import FLOAT_BYTES

FOLDER = "embeddings"
_UNFINISHED = ".unfinished-"
_OURS = ("run_", _UNFINISHED)


@dataclass(frozen=True, slots=True)
class Saved:
    """Where they are."""

    npy: str
    jsonl: str
    rows: int
    bytes: int


def save(data_dir: Path, name: str, vectors: Sequence[bytes], texts: Sequence[str]) -> Saved:
    """Write both files, each whole or not at all.

    Raises:
        InvalidRequest: The disk refused. The vectors are kept in the cache if that can still be written.
    """
    folder = data_dir / FOLDER
    npy, jsonl = folder / f"{name}.npy", folder / f"{name}.jsonl"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(jsonl, lambda file: file.writelines(map(_line, range(len(texts)), texts)), prefix=_UNFINISHED)
        replace_file(npy, lambda file: _write_matrix(file, vectors), prefix=_UNFINISHED)
        return Saved(str(npy), str(jsonl), len(texts), npy.stat().st_size)
    except OSError as error:
        raise InvalidRequest(
            f"output file could not write to {folder} ({error.strerror or error}); ranking and similarity need no file"
        ) from error


def forget_files(data_dir: Path, moment: datetime) -> None:
    """Delete what was written before: a file is younger than its run, so its run is forgotten too."""
    for path in (data_dir / FOLDER).glob("*"):
        with suppress(OSError):
            if path.name.startswith(_OURS) and path.stat().st_mtime < moment.timestamp():
                path.unlink()


def _line(index: int, text: str) -> bytes:
    return (json.dumps({"index": index, "text": text}, ensure_ascii=False) + "\n").encode(errors="backslashreplace")


def _write_matrix(file: IO[bytes], vectors: Sequence[bytes]) -> None:
    from numpy.lib import format as npy

    shape = (len(vectors), len(vectors[0]) // FLOAT_BYTES)
    npy.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    file.writelines(vectors)
