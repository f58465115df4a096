"""`or-mcp ask`: ask one model."""

from __future__ import annotations

import argparse

from or_mcp.cli import fail
from or_mcp.cli.paid import pay, question


def run(arguments: argparse.Namespace) -> int:
    """Ask it."""
    if arguments.out and not arguments.rows:
        return fail("--out is for --rows: one answer is printed", 2)
    if arguments.batch and not arguments.rows:
        return fail("--batch is for --rows: one question is answered at once", 2)
    given = {
        "model": arguments.model,
        "continue_run": arguments.continue_run,
        "attachments": arguments.attach,
        "web": arguments.web,
        "rows_file": arguments.rows,
        "batch": arguments.batch,
        "max_cost_usd": arguments.max_cost,
        "prompt": question(arguments),
    }
    return pay("ask", given, arguments, out=arguments.out)
