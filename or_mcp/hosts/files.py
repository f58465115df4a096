"""A host's file on disk: read it, keep a copy of it, replace it in one step."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from or_mcp.hosts.document import Document
from or_mcp.hosts.draft import Draft
from or_mcp.hosts.entry import Entry
from or_mcp.hosts.host import Host
from or_mcp.hosts.plan import Plan, Planner
from or_mcp.hosts.problem import HostProblem

COPY_SUFFIX = ".before-or-mcp"
# Hosts write their files at every click; whoever writes all the time is told of.
_ATTEMPTS = 5
# A file that we make may hold a key.
_PRIVATE = 0o600
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class ConfigFile:
    """One file, by the path its host knows. A link stays a link: what it points to is changed."""

    def __init__(self, path: Path, *, shared: bool) -> None:
        self.path, self.shared = path, shared
        self.copy_path = path.with_name(path.name + COPY_SUFFIX)
        self._new_mode = 0o666 & ~_umask() if shared else _PRIVATE

    def entry(self, host: Host) -> Entry | None:
        """The entry of our name.

        Raises:
            HostProblem: The file cannot be read.
        """
        with self._problems("read"):
            return Document.read(host, _read(self.path) or b"").entry()

    def plan(self, planner: Planner) -> Plan:
        """What would become of it; nothing is written.

        Raises:
            HostProblem: The file cannot be changed.
        """
        with self._problems("read"):
            return planner(_read(self.path), _read(self.copy_path))

    def carry_out(self, planner: Planner) -> Plan:
        """Plan and write; when somebody else writes meanwhile, again on what they wrote.

        Raises:
            HostProblem: The file cannot be changed.
        """
        for _ in range(_ATTEMPTS):
            planned = self.plan(planner)
            with self._problems("written"):
                if planned.after == planned.before or self._write(planned):
                    return planned
        raise HostProblem(f"{self.path} is left as it is: another program keeps writing it; close that first")

    def _write(self, plan: Plan) -> bool:
        """Do it, unless the file is no longer what the plan was made for."""
        target = self.path.resolve()
        found = target.stat() if target.exists() else None
        if found and not found.st_mode & _WRITABLE:
            raise HostProblem("it is read-only; make it writable, or change what it is made from")
        if plan.keep_copy and plan.before is not None:
            Draft(self.copy_path, plan.before, found, self._new_mode).take_place()
        if plan.after is None:
            return self._delete(target, plan.before)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Draft(target, plan.after, found, self._new_mode)
        if _read(target) != plan.before:
            draft.drop()
            return False
        draft.take_place()
        if plan.what == "restored":
            self.copy_path.unlink()
        return True

    def _delete(self, target: Path, before: bytes | None) -> bool:
        if _read(target) != before:
            return False
        target.unlink()
        return True

    @contextmanager
    def _problems(self, verb: str) -> Generator[None]:
        """Whatever goes wrong names the file."""
        try:
            yield
        except HostProblem as problem:
            raise HostProblem(f"{self.path} is left as it is: {problem}") from None
        except OSError as error:
            elsewhere = error.filename and str(error.filename) != str(self.path)
            where = f" in {Path(error.filename).parent}" if elsewhere else ""
            raise HostProblem(f"{self.path} cannot be {verb} ({error.strerror or error}{where})") from None


def _read(path: Path) -> bytes | None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise HostProblem(f"{path.name} is not a file")
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
