"""Vectors as files that other programs read: a `.npy` matrix, and a `.jsonl` with the texts beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from or_mcp.disk import UNFINISHED, replace_file
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.vectors.decoding import FLOAT_BYTES

FOLDER = "embeddings"


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
        replace_file(jsonl, lambda file: file.writelines(map(_line, range(len(texts)), texts)), prefix=UNFINISHED)
        replace_file(npy, lambda file: _write_matrix(file, vectors), prefix=UNFINISHED)
        return Saved(str(npy), str(jsonl), len(texts), npy.stat().st_size)
    except OSError as error:
        raise InvalidRequest(
            f"output file could not write to {folder} ({error.strerror or error}); ranking and similarity need no file"
        ) from error


def _line(index: int, text: str) -> bytes:
    return (json.dumps({"index": index, "text": text}, ensure_ascii=False) + "\n").encode(errors="backslashreplace")


def _write_matrix(file: IO[bytes], vectors: Sequence[bytes]) -> None:
    from numpy.lib import format as npy

    shape = (len(vectors), len(vectors[0]) // FLOAT_BYTES)
    npy.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    file.writelines(vectors)
