"""A secret that every process on one store shares, so that any of them accepts what another sealed."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from or_mcp.runs.private import keep_private

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
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    made.touch(mode=0o600)
    made.write_bytes(secrets.token_bytes(_BYTES))
    try:
        # Linking, unlike renaming, fails when another process was first: whoever was first is right.
        with suppress(FileExistsError):
            os.link(made, path)
    finally:
        made.unlink()
    keep_private(path)
    return path.read_bytes()
