"""`or-mcp ask`: ask one model."""

from __future__ import annotations

import argparse

from or_mcp.cli.paid import asked, question


def run(arguments: argparse.Namespace) -> int:
    """Ask it."""
    given = {
        "model": arguments.model,
        "continue_run": arguments.continue_run,
        "attachments": arguments.attach,
        "web": arguments.web,
        "max_cost_usd": arguments.max_cost,
        "prompt": question(arguments),
    }
    return asked("ask", given, arguments)
