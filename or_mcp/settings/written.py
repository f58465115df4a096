"""Words, lists and paths as a person writes them in a setting; whatever is none is a ValueError or a KeyError."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from or_mcp.servers.file import FileProblem, Server, read_servers
from or_mcp.settings.figures import seconds_or_none

T = TypeVar("T")
SERVERS, SERVERS_FILE = "OR_MCP_SERVERS", "a JSON file with an object mcpServers"


class SettingsError(Exception):
    """A variable holds something it does not accept."""

    def __init__(self, variable: str, value: str, accepts: str) -> None:
        super().__init__(f"{variable} holds {value!r}, but accepts {accepts}")
        self.variable = variable


def as_key(value: str) -> str | None:
    # Hosts pass "${OPENROUTER_API_KEY}" literally when the variable is unset: that is no key.
    if not value or "$" in value:
        return None
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError
    return value


def one_of(words: Mapping[str, T]) -> Callable[[str], T]:
    return lambda value: words[value.lower()]


switch = one_of({"on": True, "true": True, "1": True, "off": False, "false": False, "0": False, "": False})


def database_url(value: str) -> str | None:
    if not value:
        return None
    address = urlsplit(value)
    # Several hosts, and a port for each, are libpq's to read.
    if address.scheme not in ("postgresql", "postgres") or not value.isprintable() or " " in value:
        raise ValueError
    if importlib.util.find_spec("psycopg") is None:
        needed = "a URL only where psycopg is: pip install 'or-mcp[postgres]'"
        raise SettingsError("OR_MCP_DATABASE_URL", "(hidden)", needed)
    return value


def servers_in(value: str) -> tuple[Server, ...]:
    """The servers that a file names, with references to variables as they stand."""
    if not value:
        return ()
    try:
        return read_servers(path(value))
    except FileProblem as problem:
        raise SettingsError(SERVERS, value, f"{SERVERS_FILE} ({problem})") from None


def wait_or_none(value: str) -> float | None:
    if value == "auto":
        return None
    return seconds_or_none(value)


def names(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def globs(value: str) -> tuple[str, ...]:
    return names(value) or ("*",)


def folders(value: str) -> tuple[Path, ...]:
    return tuple(Path(part).expanduser().resolve() for part in value.split(os.pathsep) if part.strip())


def level(value: str) -> str:
    if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
        raise ValueError
    return value.upper()


def path(value: str) -> Path:
    return Path(value).expanduser().resolve()
