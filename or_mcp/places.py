"""Where this platform keeps what belongs to a program.

Every start pays for what is imported here: `pathlib` is imported only for whoever wants a path.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def state_directory(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Where this platform keeps the state of programs."""
    home = _home(environ)
    one_for_all = _application_directory(environ, home, platform)
    return one_for_all or os.path.join(environ.get("XDG_STATE_HOME") or f"{home}/.local/state", "or-mcp")


def credentials(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Where the keys of `or-mcp login` are: the same file for a terminal and for every host.

    Most hosts start a server with few variables, the home among them but not XDG_CONFIG_HOME.
    """
    home = _home(environ)
    one_for_all = _application_directory(environ, home, platform)
    return os.path.join(one_for_all or f"{home}/.config/or-mcp", "credentials.json")


def credentials_file(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The same, as a path."""
    from pathlib import Path

    return Path(credentials(environ, platform))


def home_directory(environ: Mapping[str, str]) -> Path:
    """The user's home.

    Raises:
        RuntimeError: There is none.
    """
    from pathlib import Path

    return Path(_home(environ))


def working_directory(environ: Mapping[str, str], started: Path) -> str:
    """Where the host has started us, if that is a project. Some start us in / or at home, where everything lies."""
    from pathlib import Path

    try:
        here = started.resolve()
        homes = {Path(each).resolve() for each in (environ.get("HOME", ""), str(Path.home())) if each}
    except (OSError, RuntimeError):
        return ""
    return "" if any(home.is_relative_to(here) for home in homes) or here == here.parent else str(here)


def _home(environ: Mapping[str, str]) -> str:
    given = environ.get("HOME") or environ.get("USERPROFILE")
    if given:
        return given
    found = os.path.expanduser("~")
    if found == "~":
        raise RuntimeError("this user has no home directory")
    return found


def _application_directory(environ: Mapping[str, str], home: str, platform: str) -> str | None:
    """The one directory for everything, on platforms that have such."""
    if platform == "win32":
        return os.path.join(environ.get("LOCALAPPDATA") or f"{home}/AppData/Local", "or-mcp")
    if platform == "darwin":
        return f"{home}/Library/Application Support/or-mcp"
    return None
