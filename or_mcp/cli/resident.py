"""`or-mcp resident`: the process that sessions share."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from or_mcp.cli import fail
from or_mcp.cli.terminal import as_json, emit, say
from or_mcp.resident.handing import Refused, asked
from or_mcp.starting.starter import listed

# A resident that is well answers in milliseconds; one that starts on a busy machine needs its imports first.
_SECONDS = 10.0


def run(arguments: argparse.Namespace) -> int:
    """Show every resident of the data directory, or end them."""
    kind = "stop" if arguments.action == "stop" else "status"
    found: list[dict[str, Any]] = []
    silent: list[str] = []
    for path in listed(os.environ):
        try:
            answer = asked(path, kind, _SECONDS)
        except (OSError, Refused) as error:
            silent.append(f"{path}: {error}")
            continue
        if answer:
            found.append(json.loads(answer))
    if arguments.json:
        emit(as_json({"residents": found, "silent": silent}))
    else:
        told = [line(each) for each in found] or ["No resident is running."]
        say("\n".join([*told, "They end, and have time to finish what runs."] if kind == "stop" and found else told))
    return fail("; ".join(silent)) if silent else 0


def line(status: dict[str, Any]) -> str:
    """One resident in one line."""
    return (
        f"or-mcp {status['version']}, process {status['pid']}: sessions {status['sessions']}, runs {status['runs']}, "
        f"{status['memory_mb']} MB, for {status['seconds']} s, stays {status['stays_seconds']:g} s, {status['socket']}"
    )
