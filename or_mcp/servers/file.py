"""The operator's file of MCP servers, in the form that hosts use. Nothing heavy is imported: settings are read here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

# Larger is no list of servers.
_LARGEST_BYTES = 1_000_000
# VS Code's own file calls the list "servers".
_LISTS = ("mcpServers", "servers")
_STDIO, _HTTP = ("stdio",), ("http", "streamable-http", "streamableHttp", "streamable_http")
_NAME = re.compile(r"[A-Za-z0-9_.:@/-]{1,64}")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class FileProblem(ValueError):
    """What is wrong with the file, in words that hold none of its secrets."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server: how it is reached, and which of its tools may run without a question.

    Hints are what a server says of its own tools; they count only where the operator trusts them.
    """

    name: str
    command: str = ""
    args: tuple[str, ...] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    cwd: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    trust_hints: bool = False

    @property
    def identity(self) -> str:
        """What tells it from another one under the same name."""
        return sha256(repr((self.name, self.command, self.args, self.url)).encode()).hexdigest()[:24]

    def denies(self, tool: str) -> bool:
        """Whether nobody may use a tool."""
        return any(fnmatchcase(tool, pattern) for pattern in self.deny)

    def allows(self, tool: str) -> bool:
        """Whether a tool may run without a question."""
        return any(fnmatchcase(tool, pattern) for pattern in self.allow)


def read_servers(path: Path) -> tuple[Server, ...]:
    """The servers of the file, with references to variables as they stand.

    Raises:
        FileProblem: It cannot be read, or says something that is not known.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise FileProblem(f"{path} is larger than a list of servers can be")
        whole = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileProblem(f"{path} cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, FileProblem):
            raise
        raise FileProblem(f"{path} is not JSON") from None
    held = cast("dict[str, Any]", whole) if isinstance(whole, dict) else {}
    listed = next((held[name] for name in _LISTS if name in held), None)
    if not isinstance(listed, dict):
        raise FileProblem(f"{path} has no object mcpServers")
    return tuple(_server(name, entry) for name, entry in cast("dict[str, Any]", listed).items())


def resolved(server: Server, environ: Mapping[str, str]) -> Server:
    """The server with the values of the variables that its env and headers name.

    Raises:
        FileProblem: One is not set.
    """
    env = {name: _resolved(server, f"env {name}", text, environ) for name, text in server.env.items()}
    headers = {name: _resolved(server, f"header {name}", text, environ) for name, text in server.headers.items()}
    return replace(server, env=env, headers=headers)


def _resolved(server: Server, where: str, text: str, environ: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name, otherwise = found[1], found[2]
        if environ.get(name) or otherwise is not None:
            return environ.get(name) or otherwise
        raise FileProblem(f"server {server.name!r}: its {where} needs ${{{name}}}, which is not set")

    return _REFERENCE.sub(value, text)


def _server(name: str, entry: Any) -> Server:
    if not _NAME.fullmatch(name):
        raise FileProblem(f"a server is named {name[:80]!r}; a name is 1 to 64 of A-Z, a-z, 0-9, _ . : @ / and -")
    if not isinstance(entry, dict):
        raise FileProblem(f"server {name!r} is not an object")
    given = cast("dict[str, Any]", entry)
    command, url = _text(name, given, "command"), _text(name, given, "url")
    kind = _text(name, given, "type") or _text(name, given, "transport")
    if bool(command) == bool(url) or (kind and kind not in (_STDIO if command else _HTTP)):
        raise FileProblem(f"server {name!r} takes either command (stdio) or url (http, not sse)")
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        raise FileProblem(f"server {name!r}: its url is no http(s) URL")
    if not isinstance(given.get("trust_hints", False), bool):
        raise FileProblem(f"server {name!r}: trust_hints takes true or false")
    return Server(
        name,
        command,
        _texts(name, given, "args"),
        _named_texts(name, given, "env"),
        str(Path(_text(name, given, "cwd")).expanduser()) if "cwd" in given else "",
        url,
        _named_texts(name, given, "headers"),
        _texts(name, given, "allow"),
        _texts(name, given, "deny"),
        given.get("trust_hints", False),
    )


def _text(server: str, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str) or "\0" in value:
        raise FileProblem(f"server {server!r}: {key} takes a text")
    return value


def _texts(server: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in cast("list[Any]", value)):
        raise FileProblem(f"server {server!r}: {key} takes a list of texts")
    return tuple(cast("list[str]", value))


def _named_texts(server: str, entry: Mapping[str, Any], key: str) -> dict[str, str]:
    value = entry.get(key, {})
    known = cast("dict[str, Any]", value) if isinstance(value, dict) else {"": None}
    if not all(isinstance(each, str) for each in known.values()):
        raise FileProblem(f"server {server!r}: {key} takes an object of texts")
    return cast("dict[str, str]", known)
