"""A secret that every process on one store shares, so that any of them accepts what another sealed."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from or_mcp.runs.owners import exclusive
from or_mcp.runs.private import keep_private, write_private

FILE = "state.key"
# Of chance: nobody guesses it.
_BYTES = 32


def shared_secret(directory: Path | None, database_url: str | None = None) -> bytes:
    """The store's secret, made on first use; without a store that can be written, one of this process.

    Raises:
        Away: The database cannot be used.
    """
    if database_url is not None:
        from or_mcp.runs.engines.postgres import shared

        return shared(database_url, FILE, secrets.token_bytes(_BYTES))
    if directory is not None:
        with suppress(OSError):
            return _kept(directory / FILE)
    return secrets.token_bytes(_BYTES)


def _kept(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # One that a crash or a full disk has cut short is made anew, by one process for all.
    with exclusive(path.parent / "owners" / path.name):
        keep_private(path)
        kept = path.read_bytes() if path.exists() else b""
        if len(kept) < _BYTES:
            kept = secrets.token_bytes(_BYTES)
            write_private(path, kept)
        return kept
