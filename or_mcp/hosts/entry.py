"""What our entry in a host's file says, and how to recognise it."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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


def launch(environ: Mapping[str, str], *, shared: bool, problem_of: Callable[[Launch], str]) -> Launch:
    """The command for a file: `uvx or-mcp`, or this very program where that does not start.

    A file that a team shares never names a path of this machine.
    """
    uvx = Launch(UVX, (PACKAGE,))
    if shutil.which(UVX, path=environ.get("PATH")):
        problem = problem_of(uvx)
        why = f"`{uvx}` does not start here: {problem}" if problem else ""
        return replace(uvx, why=why) if shared or not problem else _this_installation(environ, why)
    if shared:
        return replace(uvx, why="uvx is not on this machine's PATH: https://docs.astral.sh/uv/ installs it")
    beside_uv = Path(environ["UV"]).with_name(UVX) if environ.get("UV") else None
    if beside_uv and shutil.which(beside_uv):
        return Launch(str(beside_uv), (PACKAGE,), "uvx is not on the PATH")
    return _this_installation(environ, "uvx is not on the PATH, so it starts this installation")


def _this_installation(environ: Mapping[str, str], why: str) -> Launch:
    program = _own_program(environ)
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
    if host.in_one_list:
        named["command"] = [start.command, *start.args]
    else:
        named |= {"command": start.command, "args": list(start.args)}
    if host.reference and host.syntax == "toml":
        named["env_vars"] = [KEY]
    return named | ({"environment" if host.in_one_list else "env": env} if env else {}) | dict(host.more)


def as_entry(value: Any) -> Entry | None:
    """A value of a file, if it is a table of names and values."""
    return cast("Entry", value) if isinstance(value, dict) else None


def is_ours(found: Any) -> bool:
    """Whether an entry starts this program, however it was written."""
    return any(_OURS.match(re.split(r"[/\\]", word)[-1]) for word in words_of(as_entry(found) or {}))


def words_of(found: Entry) -> list[str]:
    """What an entry starts, however it spells that."""
    command: Any = found.get("command")
    if nested := as_entry(command):
        return words_of({"command": nested.get("path"), "args": nested.get("args")})
    args: Any = found.get("args")
    lists = [cast("list[Any]", each) if isinstance(each, list) else [] for each in (command, args)]
    return [word for word in [command, *lists[0], *lists[1]] if isinstance(word, str)]


def variables_of(found: Entry) -> Entry:
    """The variables that an entry sets, however it calls them."""
    return as_entry(found.get("env")) or as_entry(found.get("environment")) or {}


def merged(found: Entry, wanted: Entry) -> Entry:
    """Our entry brought up to date: what a person added or chose in it stays, except how we are started."""
    started: Entry = {name: wanted[name] for name in ("type", "command", "args") if name in wanted}
    result = wanted | found | started
    for called in ("env", "environment"):
        env = as_entry(found.get(called))
        if env is not None:
            fresh = {name: each for name, each in wanted.get(called, {}).items() if name != KEY or not env.get(KEY)}
            result[called] = env | fresh
    # What was there keeps its place.
    return {name: result[name] for name in [*found, *(name for name in wanted if name not in found)]}
