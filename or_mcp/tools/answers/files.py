"""Files that a run made, as its answer tells of them: never their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import mcp_types

from or_mcp.calls.keepsake import Shown
from or_mcp.calls.made_files import URI
from or_mcp.calls.reply import Answer, Maybe
from or_mcp.files.made import MadeFile
from or_mcp.files.shelf import where_it_is


class FileRow(Answer):
    """One file: where it is, what it is, and how large or long."""

    name: str
    path: Maybe[str] = None
    uri: str
    mime: str
    bytes: int
    width: Maybe[int] = None
    height: Maybe[int] = None
    seconds: Maybe[float] = None
    # Where it is instead.
    missing: Maybe[str] = None


def file_rows(run_id: str, files: Sequence[MadeFile], shown: Shown) -> list[FileRow]:
    """Every file, with its path where its reader can open it."""
    return [
        FileRow(
            name=file.name,
            path=str(shown.files_in / file.stored) if shown.files_in and _is_here(file, shown) else None,
            uri=URI.format(run_id=run_id, n=n),
            mime=file.mime,
            bytes=file.bytes,
            width=file.width,
            height=file.height,
            seconds=file.seconds,
            missing=None if _is_here(file, shown) else where_it_is(file),
        )
        for n, file in enumerate(files)
    ]


def _is_here(file: MadeFile, shown: Shown) -> bool:
    return shown.files_here is None or file.stored in shown.files_here


def file_lines(rows: Sequence[FileRow]) -> Iterator[str]:
    """How many, and where each is."""
    if rows:
        yield f"{len(rows)} {'file' if len(rows) == 1 else 'files'}, kept outside of this text:"
    for row in rows:
        size = f"{row.width}x{row.height} · " if row.width and row.height else ""
        size += f"{row.seconds:g} s · " if row.seconds else ""
        missing = f": {row.missing}" if row.missing else ""
        yield f"- {row.path or row.uri} ({row.mime} · {size}{row.bytes:,} bytes){missing}"


def file_links(rows: Sequence[FileRow]) -> tuple[mcp_types.ResourceLink, ...]:
    """The same as links, which any process on the same store can follow."""
    return tuple(
        mcp_types.ResourceLink(type="resource_link", uri=row.uri, name=row.name, mime_type=row.mime, size=row.bytes)
        for row in rows
    )
