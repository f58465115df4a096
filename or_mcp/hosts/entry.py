"""What our entry in a host's file says, and how to recognise it."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from or_mcp.hosts.host import Host
from or_mcp.hosts.table import KEY

SERVER = "openrouter"
PACKAGE = "or-mcp"
UVX = "uvx"
# Directories that uv empties when it likes: a program in one must not be named in a file.
_PASSING = re.compile(r"[/\\](archive-v\d+|builds-v\d+|environments-v\d+)[/\\]")
_OURS = re.compile(r"or[-_]mcp(?![-\w])")

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Launch:
    """How a host starts us."""

    command: str
    args: tuple[str, ...]
    why: str = ""

    def __str__(self) -> str:
        return " ".join([self.command, *self.args])


def launch(environ: Mapping[str, str], *, shared: bool) -> Launch:
    """The command for a file: `uvx or-mcp`, or this very program where there is no uvx.

    A file that a team shares never names a path of this machine.
    """
    uvx = Launch(UVX, (PACKAGE,))
    if shutil.which(UVX, path=environ.get("PATH")):
        return uvx
    if shared:
        return Launch(UVX, (PACKAGE,), "uvx is not on this machine's PATH: https://docs.astral.sh/uv/ installs it")
    beside_uv = Path(environ["UV"]).with_name(UVX) if environ.get("UV") else None
    if beside_uv and shutil.which(beside_uv):
        return Launch(str(beside_uv), (PACKAGE,), "uvx is not on the PATH")
    program = _own_program(environ)
    why = "uvx is not on the PATH, so it starts this installation"
    return Launch(str(program), (), why) if program else Launch(sys.executable, ("-m", "or_mcp"), why)


def _own_program(environ: Mapping[str, str]) -> Path | None:
    """The file that starts us, by a name that outlives an upgrade where there is one."""
    beside = shutil.which(PACKAGE, path=str(Path(sys.executable).parent))
    on_path = shutil.which(PACKAGE, path=environ.get("PATH"))
    if beside and on_path and Path(beside).samefile(on_path):
        return Path(on_path).absolute()
    return Path(beside).absolute() if beside and not _PASSING.search(beside) else None


def entry(host: Host, start: Launch, variables: Mapping[str, str]) -> Entry:
    """Our entry for a host, in the order people write it."""
    env = dict(variables)
    if host.reference and host.syntax == "json":
        env = {KEY: host.reference} | env
    named: Entry = {"type": host.kind} if host.kind else {}
    named |= {"command": start.command, "args": list(start.args)}
    if host.reference and host.syntax == "toml":
        named["env_vars"] = [KEY]
    return named | ({"env": env} if env else {}) | dict(host.limits)


def as_entry(value: Any) -> Entry | None:
    """A value of a file, if it is a table of names and values."""
    return cast("Entry", value) if isinstance(value, dict) else None


def is_ours(found: Any) -> bool:
    """Whether an entry starts this program, however it was written."""
    told = as_entry(found)
    if told is None:
        return False
    command = told.get("command")
    if nested := as_entry(command):
        return is_ours({"command": nested.get("path"), "args": nested.get("args")})
    args: Any = told.get("args")
    words: list[Any] = [command, *(cast("list[Any]", args) if isinstance(args, list) else [])]
    return any(isinstance(word, str) and _OURS.match(re.split(r"[/\\]", word)[-1]) for word in words)


def merged(found: Entry, wanted: Entry) -> Entry:
    """Our entry brought up to date: what a person added or chose in it stays, except how we are started."""
    started: Entry = {name: wanted[name] for name in ("type", "command", "args") if name in wanted}
    result = wanted | found | started
    env = as_entry(found.get("env"))
    if env is not None:
        fresh = {name: value for name, value in wanted.get("env", {}).items() if name != KEY or not env.get(KEY)}
        result["env"] = env | fresh
    # What was there keeps its place.
    return {name: result[name] for name in [*found, *(name for name in wanted if name not in found)]}
