"""What a host finds when it starts: a fresh home, a `uvx` that starts our program, a simulated upstream."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hosts.installed import Installed
from tests.serving.programs import ROOT, environment, free_port, serving_http, started

KEY = "sk-or-test"
PATIENCE = 90
MANIFESTS = ROOT / "manifests"
# No host looks for updates, reports what it does, or asks whether a folder is trusted.
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
    "FASTMCP_CHECK_FOR_UPDATES": "off",
    "GEMINI_CLI_TRUST_WORKSPACE": "true",
    "GEMINI_TELEMETRY_ENABLED": "false",
    "NO_COLOR": "1",
    "NO_UPDATE_NOTIFIER": "1",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
}


@dataclass
class World:
    """One host's home, and the programs around it."""

    hosts: Installed
    home: Path
    upstream: str
    url: str
    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.project = self.home / "project"
        self.project.mkdir(parents=True)
        shim = self.home / "bin" / "uvx"
        shim.parent.mkdir()
        shim.write_text(self._shim(), encoding="utf-8")
        shim.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a host: those of a user's shell, with a key."""
        path = f"{self.home / 'bin'}:{self.hosts.path}"
        return {"PATH": path, "HOME": str(self.home), "OPENROUTER_API_KEY": KEY, **QUIET}

    def write(self, name: str, text: str) -> Path:
        """A file in the home."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(
        self,
        *command: str,
        stdin: str = "",
        folder: Path | None = None,
        more: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> subprocess.CompletedProcess[str]:
        """A host's program, run to its end, in the project's folder unless told otherwise."""
        program = self.hosts.program(command[0]) if "/" not in command[0] else command[0]
        return subprocess.run(
            [program, *command[1:]],
            cwd=folder or self.project,
            env=self.environment | dict(more or {}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )

    def _shim(self) -> str:
        # The key is left out: that it arrives is the manifest's business.
        ours = {
            "OPENROUTER_BASE_URL": self.upstream,
            "OR_MCP_DATA_DIR": str(self.home / "data"),
            "OR_MCP_RESIDENT": "off",
            "PYTHONPATH": str(ROOT),
            **self.settings,
        }
        exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in ours.items())
        start = f'[ "$1" = or-mcp ] && shift && exec {shlex.quote(sys.executable)} -m or_mcp "$@"'
        return f"#!/bin/sh\n# What uvx does once the package is installed.\n{exports}\n{start}\nexit 64\n"


@contextmanager
def simulated(faults: Path, rules: Sequence[Mapping[str, Any]] = ()) -> Generator[str]:
    """A simulated upstream in a process of its own; its base URL."""
    faults.write_text(json.dumps(list(rules)), encoding="utf-8")
    env = environment("", faults.parent)
    with started("simulate", "--port", str(free_port()), "--faults", str(faults), env=env) as talk:
        yield talk.line().decode().strip()


@contextmanager
def served(upstream: str, data: Path, **settings: str) -> Generator[str]:
    """Our program over HTTP; where its MCP is."""
    with serving_http(environment(upstream, data, **settings)) as root:
        yield f"{root}/mcp"
