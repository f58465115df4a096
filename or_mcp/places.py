"""Where this platform keeps what belongs to a program."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def state_directory(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where this platform keeps the state of programs."""
    home = home_directory(environ)
    one_for_all = _application_directory(environ, home, platform)
    return one_for_all or Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "or-mcp"


def credentials_file(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where the keys of `or-mcp login` are: the same file for a terminal and for every host.

    Most hosts start a server with few variables, the home among them but not XDG_CONFIG_HOME.
    """
    home = home_directory(environ)
    one_for_all = _application_directory(environ, home, platform)
    return (one_for_all or home / ".config" / "or-mcp") / "credentials.json"


def home_directory(environ: Mapping[str, str]) -> Path:
    """The user's home.

    Raises:
        RuntimeError: There is none.
    """
    return Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())


def working_directory(environ: Mapping[str, str], started: Path) -> str:
    """Where the host has started us, if that is a project. Some start us in / or at home, where everything lies."""
    try:
        here = started.resolve()
        homes = {Path(each).resolve() for each in (environ.get("HOME", ""), str(Path.home())) if each}
    except (OSError, RuntimeError):
        return ""
    return "" if any(home.is_relative_to(here) for home in homes) or here == here.parent else str(here)


def _application_directory(environ: Mapping[str, str], home: Path, platform: str) -> Path | None:
    """The one directory for everything, on platforms that have such."""
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "or-mcp"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "or-mcp"
    return None
