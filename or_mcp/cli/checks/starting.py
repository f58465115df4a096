"""Start a server as a host does, and hear whether it answers."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

# Hosts give up a server that has not answered by then; a cold start takes a second or two.
SECONDS = 30.0
_HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "or-mcp-doctor", "version": "1"},
    },
}
# A greeting may come from what was prepared: only the whole program answers this.
_ARE_YOU_THERE = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
# It must neither spend, nor ask anybody, nor leave anything behind.
_HARMLESS = {
    "OPENROUTER_API_KEY": "$none",
    "OPENROUTER_BASE_URL": "http://127.0.0.1:9/api/v1",
    "OR_MCP_RESIDENT": "off",
}


@dataclass(frozen=True, slots=True)
class Started:
    """The version that answered, or what went wrong."""

    version: str | None
    problem: str = ""


def start(command: Sequence[str], env: Mapping[str, str], environ: Mapping[str, str]) -> Started:
    """Run a command, say hello over its pipes, and let it go. This terminal's settings are not the host's."""
    with tempfile.TemporaryDirectory(prefix="or-mcp-doctor-", ignore_cleanup_errors=True) as directory:
        inherited = {name: value for name, value in environ.items() if not name.startswith("OR_MCP_")}
        variables = {**inherited, **env, **_HARMLESS, "OR_MCP_DATA_DIR": directory}
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own configuration
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=variables,
                cwd=directory,
            )
        except OSError as error:
            return Started(None, error.strerror or str(error))
        killer = threading.Timer(SECONDS, process.kill)
        killer.start()
        try:
            out, err = process.communicate(
                b"".join(json.dumps(each).encode() + b"\n" for each in (_HELLO, _ARE_YOU_THERE))
            )
        finally:
            killer.cancel()
    version = _version(out)
    if version is not None:
        return Started(version)
    return Started(None, _last_line(err) or f"it said nothing within {SECONDS:.0f} s")


def _version(out: bytes) -> str | None:
    answers = {answer.get("id"): answer.get("result") for answer in map(_object, out.splitlines())}
    hello, is_there = answers.get(1), isinstance(answers.get(2), dict)
    if not is_there or not isinstance(hello, dict):
        return None
    return str(cast("dict[str, Any]", hello).get("serverInfo", {}).get("version", ""))


def _object(line: bytes) -> dict[str, Any]:
    try:
        found: Any = json.loads(line)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _last_line(err: bytes) -> str:
    lines = err.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""
