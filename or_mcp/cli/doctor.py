"""`or-mcp doctor`: what works here, and for each thing that does not, what mends it."""

from __future__ import annotations

import argparse
import os
from functools import partial

from or_mcp import __version__
from or_mcp.cli.checks import data, machine
from or_mcp.cli.checks.finding import Check, Finding, carry_out
from or_mcp.cli.checks.residents import residents
from or_mcp.cli.terminal import as_json, emit, say
from or_mcp.settings import Settings

_MARKS = {"ok": "✓", "failed": "✗", "info": "·"}


def run(arguments: argparse.Namespace) -> int:
    """Look at everything; 0 only if nothing failed."""
    settings, found = machine.settings_of(os.environ)
    findings: list[Finding] = []
    for finding in (*found, *carry_out(_checks(settings))):
        findings.append(finding)
        if not arguments.json:
            say(_line(finding))
    wrong = sum(finding.status == "failed" for finding in findings)
    if arguments.json:
        rows = [{"name": f.name, "status": f.status, "detail": f.detail, "fix": f.fix or None} for f in findings]
        emit(as_json({"ok": not wrong, "version": __version__, "checks": rows}))
    else:
        say(f"\n{wrong} to mend: what is after → mends it." if wrong else "\nAll is well.")
    return 1 if wrong else 0


def _checks(settings: Settings) -> tuple[Check, ...]:
    return (
        Check("python", lambda: list(machine.python())),
        Check("proxy", lambda: list(machine.proxy())),
        Check("certificates", lambda: list(machine.certificates(os.environ))),
        Check("uvx", lambda: list(machine.uv(os.environ))),
        Check("data", lambda: list(data.directory(settings))),
        Check("store", lambda: list(data.store(settings)), 10),
        Check("resident", lambda: list(residents(os.environ)), 15),
        Check("openrouter", partial(_upstream, settings), 25),
        *([Check("server", partial(_servers, settings), 75)] if settings.servers else []),
        Check("hosts", _hosts, 40),
    )


def _upstream(settings: Settings) -> list[Finding]:
    from or_mcp.cli.checks.upstream import upstream

    return upstream(settings)


def _servers(settings: Settings) -> list[Finding]:
    from or_mcp.cli.checks.servers import servers

    return servers(settings.servers)


def _hosts() -> list[Finding]:
    from or_mcp.cli.checks.hosts import hosts

    return hosts(os.environ)


def _line(finding: Finding) -> str:
    return f"{_MARKS[finding.status]} {finding.name:<13} {finding.detail}{f' → {finding.fix}' if finding.fix else ''}"
