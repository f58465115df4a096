"""Files that runs made, for whoever may see the run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import anyio.to_thread

from or_mcp.calls.call import Call, Parts
from or_mcp.calls.keepsake import Shown
from or_mcp.files.made import MadeFile
from or_mcp.files.shelf import Shelf
from or_mcp.openrouter.errors import NotFound
from or_mcp.runs.record import RunRecord

URI = "openrouter://runs/{run_id}/files/{n}"
_WRITTEN = re.compile(r"openrouter://runs/([\w-]{1,100})/files/(\d{1,4})")


def files_of(record: RunRecord, parts: Parts) -> tuple[MadeFile, ...]:
    """What a run made."""
    keepsake = parts.keepsakes[record.request.tool]
    return keepsake.made(keepsake.read(record))


async def with_files(shown: Shown, made: tuple[MadeFile, ...], shelf: Shelf, files_in: Path | None) -> Shown:
    """The same, knowing which of a run's files stand here; `files_in` is where, for a reader who can open them."""
    here = await anyio.to_thread.run_sync(shelf.holds, made) if made else frozenset[str]()
    return replace(shown, files_in=files_in, files_here=here)


async def find_file(run_id: str, n: str, call: Call) -> MadeFile:
    """One of them, counted from 0.

    Raises:
        NotFound: There is no such run of this caller's, or it has no such file.
    """
    made = files_of(await call.runs.find(run_id), call.parts)
    if not n.isdecimal() or int(n) >= len(made):
        raise NotFound(f"There is no file {n!r} in {run_id}; it has {len(made)}, counted from 0")
    return made[int(n)]


async def path_of(reference: str, call: Call) -> Path | None:
    """Where the file stands that is meant by its URI, or by its path where that was told; None if none is.

    Raises:
        NotFound: It is none of this caller's runs', or it is not here.
    """
    found = _WRITTEN.fullmatch(reference.strip())
    if found:
        return await anyio.to_thread.run_sync(call.parts.shelf.path, await find_file(found[1], found[2], call))
    path = Path(reference)
    return path if path.parent == call.files_in else None
