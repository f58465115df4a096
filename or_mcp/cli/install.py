"""`or-mcp install`: our entry in a host's configuration, and nothing else in it touched."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from or_mcp.cli import fail
from or_mcp.cli.checks.starting import start as start_as_host
from or_mcp.cli.terminal import emit, safe, say
from or_mcp.hosts.difference import difference, without_keys
from or_mcp.hosts.document import Document
from or_mcp.hosts.entry import Launch, entry, launch
from or_mcp.hosts.files import ConfigFile
from or_mcp.hosts.host import Host, Machine
from or_mcp.hosts.plan import Plan, plan_install, plan_undo
from or_mcp.hosts.problem import HostProblem
from or_mcp.hosts.table import HOSTS, KEY
from or_mcp.settings import VARIABLES, Settings, SettingsError, read_settings

_DONE = {
    "created": "created, with our entry",
    "added": "our entry added",
    "updated": "our entry brought up to date",
    "unchanged": "our entry is there already, nothing to change",
    "restored": "as it was before our entry, byte for byte",
    "removed": "our entry removed, everything else kept",
    "deleted": "deleted, it held nothing but our entry",
    "absent": "no entry of ours there, nothing to change",
}


def run(arguments: argparse.Namespace) -> int:
    """Write, show or remove our entry."""
    try:
        return _carry_out(arguments)
    except (SettingsError, RuntimeError) as error:
        return fail(str(error), 2)
    except HostProblem as problem:
        return fail(without_keys(str(problem)))


def _carry_out(arguments: argparse.Namespace) -> int:
    machine = Machine(os.environ)
    host = next((each for each in HOSTS if each.name == arguments.host), None)
    if host is None:
        return fail(_which_host(arguments.host, machine), 2)
    if arguments.project and host.project_file is None:
        return fail(f"{host.title} has one file for all projects: run `or-mcp install {host.name}`", 2)
    path = Path.cwd() / host.project_file if arguments.project and host.project_file else host.user_file(machine)
    file = ConfigFile(path, shared=arguments.project)
    return _undo(host, file, arguments.print) if arguments.undo else _install(host, file, arguments.print)


def _install(host: Host, file: ConfigFile, only_show: bool) -> int:
    settings = read_settings(os.environ)
    start = launch(os.environ, shared=file.shared, problem_of=_problem)
    passed = {} if file.shared else _passed(os.environ)
    planner = partial(plan_install, host, entry(host, start, passed))
    out = sys.stderr if only_show else sys.stdout
    if only_show:
        planned = file.plan(planner)
        emit(without_keys(_alone(host, planned.after or b"")), end="")
    else:
        planned = file.carry_out(planner)
        _show_difference(planned)
    say(f"{file.path}: {_done(planned, only_show)}", out)
    if planned.keep_copy and not only_show:
        say(f"  before: {file.copy_path}")
    for line in _rest(host, start, passed, settings, shared=file.shared):
        say(line, out)
    return 0


def _problem(of: Launch) -> str:
    """Why a command does not start; nothing when it does."""
    started = start_as_host([of.command, *of.args], {}, os.environ)
    return "" if started.version is not None else started.problem


def _undo(host: Host, file: ConfigFile, only_show: bool) -> int:
    planner = partial(plan_undo, host)
    planned = file.plan(planner) if only_show else file.carry_out(planner)
    _show_difference(planned)
    say(f"{file.path}: {_done(planned, only_show)}")
    if planned.note:
        say(f"  note:   {planned.note}")
    return 0


def _show_difference(planned: Plan) -> None:
    for line in difference(_text(planned.before), _text(planned.after)):
        emit(safe(line))


def _text(content: bytes | None) -> str:
    return (content or b"").decode("utf-8-sig")


def _alone(host: Host, content: bytes) -> str:
    """Our entry as it is in a file, in a file of its own."""
    return Document(host).with_entry(Document.read(host, content).entry() or {}).text


def _done(planned: Plan, only_show: bool) -> str:
    said = _DONE[planned.what]
    return f"{said} (--print: nothing was written)" if only_show and planned.before != planned.after else said


def _passed(environ: Mapping[str, str]) -> dict[str, str]:
    """Settings of this terminal that a host started elsewhere would lack; no secret, nothing of the HTTP server."""
    return {
        row.name: environ[row.name]
        for row in VARIABLES
        if environ.get(row.name, "").strip() and not row.secret and not row.name.startswith("OR_MCP_HTTP_")
    }


def _rest(host: Host, start: Launch, passed: Mapping[str, str], settings: Settings, *, shared: bool) -> list[str]:
    """How it is started, with what, and what remains to be done."""
    lines = [f"  starts: {start}{f' ({start.why})' if start.why else ''}"]
    if passed:
        lines.append(f"  passes: {', '.join(passed)} (set in this terminal)")
    lines.append(f"  key:    {_key(host, settings, shared=shared)}")
    then = f"each person allows it when {host.title} asks" if shared else host.then
    return [*lines, f"  then:   {then}"]


def _key(host: Host, settings: Settings, *, shared: bool) -> str:
    if host.inputs:
        return f"{host.title} asks for it once; leave it empty to use the one that `or-mcp login` stored"
    in_environment = os.environ.get(KEY, "").strip() == settings.api_key
    if settings.api_key and not in_environment:
        return "the one that `or-mcp login` stored"
    if shared:
        return f"each person's own: `or-mcp login`, or {KEY} where {host.title} is started"
    if settings.api_key is None:
        return "none yet; run `or-mcp login`"
    if host.isolated:
        return f"{host.title} does not pass {KEY} on; run `or-mcp login` once"
    return f"{KEY}, where it is set when {host.title} starts; `or-mcp login` makes it work from everywhere"


def _which_host(given: str, machine: Machine) -> str:
    """All hosts with their files, and which one may have been meant."""
    names = [host.name for host in HOSTS]
    close = get_close_matches(given.lower(), names, 1, 0.5) or [name for name in names if given and given in name]
    first = f"no host is called {given!r}" if given else "which host? `or-mcp install HOST`"
    meant = f"; did you mean {close[0]}?" if close else ""
    rows = [f"  {host.name:<15} {host.user_file(machine)}" for host in HOSTS]
    return "\n".join([first + meant, *rows])
