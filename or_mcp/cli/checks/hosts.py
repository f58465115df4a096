"""What each host on this machine has: our entry, and whether it starts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from or_mcp.cli.checks.finding import Finding, failed, noted, passed
from or_mcp.cli.checks.starting import Started, start
from or_mcp.hosts.entry import Entry, is_ours, variables_of, words_of
from or_mcp.hosts.files import ConfigFile
from or_mcp.hosts.host import Host, Machine
from or_mcp.hosts.problem import HostProblem
from or_mcp.hosts.table import HOSTS, KEY
from or_mcp.settings import SettingsError, read_settings

_PIN = re.compile(r"^or[-_]mcp(?:\[[\w,]*\])?(?:==|@)(?P<version>[\w.]+)$")
_PLACE = re.compile(r"line (\d+), column (\d+)")


@dataclass(frozen=True, slots=True)
class Found:
    """Our entry in one file."""

    host: Host
    path: Path
    shared: bool
    entry: Entry

    @property
    def name(self) -> str:
        """Whose it is."""
        return f"{self.host.name} (project)" if self.shared else self.host.name

    @property
    def key(self) -> str:
        """What it says about the key: a reference, as a rule."""
        return str(variables_of(self.entry).get(KEY, ""))

    @property
    def again(self) -> str:
        """The command that writes it anew."""
        return f"or-mcp install {self.host.name}{' --project' if self.shared else ''}"


def hosts(environ: Mapping[str, str]) -> list[Finding]:
    """Look into every host's files, and start what they would start."""
    machine, findings, entries, without = Machine(environ), list[Finding](), list[Found](), list[str]()
    for host in HOSTS:
        for path, shared in _files(host, machine):
            try:
                entry = ConfigFile(path, shared=shared).entry(host)
            except HostProblem as problem:
                findings.append(failed(host.name, str(problem), _edit(path, problem)))
                continue
            if entry is not None and is_ours(entry):
                entries.append(Found(host, path, shared, entry))
            elif entry is not None:
                findings.append(noted(host.name, f"another server is called openrouter in {path}"))
            elif path.exists() and not shared:
                findings.append(noted(host.name, f"installed, without our entry (or-mcp install {host.name})"))
            elif not shared:
                without.append(host.name)
    findings += _grouped(_started(entries, environ))
    if without:
        findings.append(noted("other hosts", f"no configuration here: {', '.join(without)}"))
    return findings


def _grouped(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The same failure of several hosts, told once."""
    alike: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        told = (finding.detail, finding.fix.replace(finding.name, "HOST")) if finding.fix else (finding.name,)
        alike.setdefault(told, []).append(finding)
    for first, *others in alike.values():
        names = ", ".join(each.name for each in (first, *others))
        yield replace(first, name=names, fix=first.fix.replace(first.name, "HOST")) if others else first


def _files(host: Host, machine: Machine) -> Iterator[tuple[Path, bool]]:
    user = host.user_file(machine)
    yield user, False
    if host.project_file and Path.cwd() / host.project_file != user:
        yield Path.cwd() / host.project_file, True


def _edit(path: Path, problem: HostProblem | None = None) -> str:
    place = _PLACE.search(str(problem))
    return f"${{EDITOR:-vi}} {f'+{place[1]} ' if place else ''}{path}"


def _started(entries: list[Found], environ: Mapping[str, str]) -> Iterator[Finding]:
    """Entries that start the same are started once, all at the same time."""
    plans = {_plan(found): found for found in entries}
    with ThreadPoolExecutor(max(1, len(plans))) as pool:
        running = {plan: pool.submit(start, *_command(found), environ) for plan, found in plans.items()}
    for found in entries:
        yield _judged(found, running[_plan(found)].result(), environ)


def _plan(found: Found) -> str:
    return repr(_command(found))


def _command(found: Found) -> tuple[list[str], dict[str, str]]:
    """What the host would run, and the variables in its file that are not references."""
    env = {name: str(value) for name, value in variables_of(found.entry).items()}
    kept = {name: value for name, value in env.items() if name != KEY and "$" not in value and "{env:" not in value}
    return words_of(found.entry), kept


def _judged(found: Found, started: Started, environ: Mapping[str, str]) -> Finding:
    (command, env), key = _command(found), found.key
    words = " ".join(command)
    if found.shared and key.startswith("sk-"):
        told = f"{found.path}, which a team shares, holds a key"
        return failed(found.name, told, f"put {found.host.reference or 'no key'} there, then delete that key")
    if shutil.which(command[0], path=environ.get("PATH")) is None:
        return failed(found.name, f"its entry starts {command[0]}, which is not here", found.again)
    if started.version is None:
        return failed(found.name, f"`{words}` does not start: {started.problem}", _repair(found, command, started))
    if found.host.isolated and not key and not _stored_key(environ, env):
        return failed(found.name, f"`{words}` starts, but no key reaches it: none is stored", "or-mcp login")
    return passed(found.name, f"`{words}` starts or-mcp {started.version}{_pinned(command)}")


def _repair(found: Found, command: list[str], started: Started) -> str:
    if started.problem.startswith("or-mcp:"):
        # It starts, and does not accept a setting in this file.
        return _edit(found.path)
    return f"uvx --refresh {command[-1]} --version" if Path(command[0]).stem == "uvx" else found.again


def _stored_key(environ: Mapping[str, str], env: Mapping[str, str]) -> bool:
    home = {name: value for name, value in environ.items() if not name.startswith(("OR_MCP_", "OPENROUTER_"))}
    try:
        return read_settings(home | dict(env)).api_key is not None
    except SettingsError:
        return False


def _pinned(command: list[str]) -> str:
    if Path(command[0]).stem != "uvx":
        return ""
    pin = next((match["version"] for each in command[1:] if (match := _PIN.match(each))), "latest")
    return ", not pinned" if pin == "latest" else f", pinned to {pin}"
