"""Rows as lines of JSON: a file that other programs read, and the same text for reading page by page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from or_mcp.disk import UNFINISHED, replace_file
from or_mcp.openrouter.errors import Failure, from_facts
from or_mcp.runs.rows import Row

FOLDER = "rows"


def folder_in(data_dir: Path | None) -> Path | None:
    """Where files with rows are kept."""
    return data_dir / FOLDER if data_dir is not None else None


def lines_of(rows: Iterable[Row]) -> Iterator[str]:
    """Every row that has come to its end, in order."""
    return (_line(row) for row in rows if row.state in ("answered", "failed"))


def why_failed(row: Row) -> Failure:
    """What became of a row that was not answered."""
    return from_facts(row.body)


def save(folder: Path, run_id: str, rows: Iterable[Row]) -> Path:
    """Write the file, whole or not at all.

    Raises:
        OSError: The disk refused.
    """
    path = folder / f"{run_id}.jsonl"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(path, lambda file: file.writelines(f"{line}\n".encode() for line in lines_of(rows)), prefix=UNFINISHED)
    return path


def _line(row: Row) -> str:
    if row.state == "answered":
        return json.dumps({"row": row.n, **json.loads(row.body)}, ensure_ascii=False)
    failure = why_failed(row)
    return json.dumps({"row": row.n, "error": f"{failure.kind}: {failure.message}"}, ensure_ascii=False)
