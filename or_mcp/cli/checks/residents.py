"""Whether sessions share a process here, and whether each that runs answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from or_mcp.cli.checks.finding import Finding, failed, noted, passed
from or_mcp.cli.resident import line
from or_mcp.resident.handing import Refused, asked
from or_mcp.starting.place import place_for
from or_mcp.starting.starter import listed

# A resident that is well answers in milliseconds, and a session waits no longer either.
_SECONDS = 3.0


def residents(environ: Mapping[str, str]) -> Iterator[Finding]:
    """One line a resident."""
    if place_for(environ) is None:
        yield noted("resident", "every session has a process of its own (OR_MCP_RESIDENT)")
        return
    for path in listed(environ):
        try:
            answer = asked(path, "status", _SECONDS)
        except Refused as refusal:
            yield noted("resident", f"{path}: {refusal}")
        except OSError as error:
            fix = f"end the process that listens there (lsof {path}); meanwhile sessions are served without it"
            yield failed("resident", f"{path} does not answer ({error})", fix)
        else:
            if answer:
                yield passed("resident", line(json.loads(answer)))
    yield noted("resident", "sessions share a process, which the first of them starts")
