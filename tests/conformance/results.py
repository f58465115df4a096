"""The official harness, run once on a server; what every check of every scenario came to."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.hosts.installed import Installed

_FAILED = ("FAILURE", "WARNING")


@dataclass(frozen=True)
class Result:
    """One scenario's checks."""

    passed: int
    failed: Mapping[str, str]


def run_required(hosts: Installed, url: str, era: str, folder: Path) -> Mapping[str, Result]:
    """Every scenario that an era's set names, by name."""
    modules = hosts.folder / "node_modules"
    harness = modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    command = [hosts.program("node"), str(harness), "server", "--url", url, "--requirements", era, "-o", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    results = {_scenario(checks): _read(checks) for checks in folder.glob("*/checks.json")}
    assert results, done.stdout + done.stderr
    return results


def _scenario(checks: Path) -> str:
    return re.sub(r"^server-|-\d{4}-\d\d-\d\dT[\d-]+Z$", "", checks.parent.name)


def _read(checks: Path) -> Result:
    found = json.loads(checks.read_text(encoding="utf-8"))
    failed = {
        check["id"]: check.get("errorMessage") or check["status"] for check in found if check["status"] in _FAILED
    }
    return Result(sum(check["status"] == "SUCCESS" for check in found), failed)
