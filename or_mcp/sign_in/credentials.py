"""The keys that signing in left here, each for the API it was made for, readable by their owner only."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from pathlib import Path
from typing import Any, cast

from or_mcp.disk import replace_file

log = logging.getLogger(__name__)

# JSON nested too deeply is a RecursionError.
_UNUSABLE = (OSError, ValueError, RecursionError)


def stored_key(file: Path, base_url: str) -> str | None:
    """The key for an API; a file that cannot be used is told of and passed over."""
    try:
        return _read(file).get(base_url)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except _UNUSABLE as error:
        log.warning("%s is not used: %s. `or-mcp login` writes it again.", file, _reason(error))
        return None


def store_key(file: Path, base_url: str, key: str) -> None:
    """Keep a key for an API, in place of the one before.

    Raises:
        OSError: It could not be written.
    """
    _write(file, _kept(file) | {base_url: key})


def forget_key(file: Path, base_url: str) -> bool:
    """Remove the key for an API; False when there is none.

    Raises:
        OSError: It could not be written.
    """
    keys = _kept(file)
    if base_url not in keys:
        return False
    del keys[base_url]
    _write(file, keys)
    return True


def make_room(file: Path) -> None:
    """Have the directory ready for a key.

    Raises:
        OSError: Nothing can be written there.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.parent.chmod(0o700)
    tempfile.TemporaryFile(dir=file.parent).close()


def _read(file: Path) -> dict[str, str]:
    text = file.read_text(encoding="utf-8")
    _keep_from_others(file)
    kept: Any = json.loads(text)
    if not isinstance(kept, dict) or not isinstance(cast("dict[str, Any]", kept).get("keys"), dict):
        raise ValueError  # noqa: TRY004 - the file is wrong, no caller is
    keys = cast("dict[str, Any]", kept["keys"])
    return {base_url: key for base_url, key in keys.items() if isinstance(key, str)}


def _keep_from_others(file: Path) -> None:
    """Windows has no such bits: there the profile's own access list keeps others out."""
    if os.name == "nt" or not file.stat().st_mode & 0o077:
        return
    try:
        file.chmod(0o600)
    except OSError as error:
        raise PermissionError(error.errno, "others on this machine can read it (chmod 600 it)") from error
    log.warning("Others on this machine could read %s; now only you can.", file)


def _kept(file: Path) -> dict[str, str]:
    try:
        return _read(file)
    except _UNUSABLE:
        return {}


def _write(file: Path, keys: dict[str, str]) -> None:
    make_room(file)
    replace_file(file, lambda out: out.write(json.dumps({"keys": keys}, indent=2).encode()))


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "it does not hold what it should"
