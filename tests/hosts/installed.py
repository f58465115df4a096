"""Where the hosts are installed: once per set of versions, in a folder that outlives the tests."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.hosts.pinned import (
    APART_PYPI,
    CALLERS_PYPI,
    NODE,
    SERVERS_NPM,
    SERVERS_PYPI,
    framework_packages,
    npm_packages,
    pypi_packages,
)

FOLDER = "OR_MCP_HOSTS"
"""Names the folder to install into; a folder for temporary files is used otherwise."""

# Packages that do not go together have environments of their own.
_PYTHONS = {
    "python": pypi_packages(),
    "frameworks": framework_packages(),
    "callers": list(CALLERS_PYPI),
    "apart": list(APART_PYPI),
}


@dataclass(frozen=True)
class Installed:
    """The programs, ready to run."""

    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter of the clients written in Python."""
        return self.folder / "python" / "bin" / "python"

    def caller_python(self, name: str) -> Path:
        """The interpreter of a client of OpenRouter's API."""
        if name == "mcp":
            return self.folder / "frameworks" / "bin" / "python"
        apart = any(package.startswith(f"{name}==") for package in APART_PYPI)
        return self.folder / ("apart" if apart else "callers") / "bin" / "python"

    @property
    def path(self) -> str:
        """The folders to look for programs in."""
        modules = self.folder / "node_modules"
        return os.pathsep.join([str(modules / "node" / "bin"), str(modules / ".bin"), "/usr/bin", "/bin"])

    def program(self, name: str) -> str:
        """The path of a program that npm installed."""
        found = shutil.which(name, path=self.path)
        assert found is not None, f"{name} is not in {self.folder}"
        return found


def installed() -> Installed:
    """The hosts, installed now if they are not yet."""
    wanted = "\n".join([*npm_packages(), *(package for packages in _PYTHONS.values() for package in packages)])
    return Installed(_once(wanted, _install))


def servers_installed() -> Installed:
    """The servers of others, apart from the hosts, installed now if they are not yet."""
    return Installed(_once("\n".join([NODE, *SERVERS_NPM, *SERVERS_PYPI]), _install_servers))


def _once(wanted: str, install: Callable[[Path], None]) -> Path:
    root = Path(os.environ.get(FOLDER) or Path(tempfile.gettempdir()) / "or-mcp-hosts")
    folder = root / hashlib.sha256(wanted.encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    complete = folder / "complete"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            install(folder)
            complete.write_text(wanted + "\n", encoding="utf-8")
    return folder


def _install(folder: Path) -> None:
    _npm(folder, npm_packages())
    for name, packages in _PYTHONS.items():
        _python(folder / name, packages)


def _install_servers(folder: Path) -> None:
    _npm(folder, [NODE, *SERVERS_NPM])
    _python(folder / "python", SERVERS_PYPI)


def _npm(folder: Path, packages: list[str]) -> None:
    npm = shutil.which("npm")
    assert npm is not None, "npm is not installed, and most hosts are npm packages"
    # Scripts stay on: they put the programs in place that are not written in JavaScript.
    quietly = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    _run([npm, "install", *quietly, "--prefix", str(folder), *packages])


def _python(folder: Path, packages: Sequence[str]) -> None:
    _run([sys.executable, "-m", "venv", str(folder)])
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, *packages])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


if __name__ == "__main__":
    print(installed().folder, servers_installed().folder)
