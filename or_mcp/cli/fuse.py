"""`or-mcp fuse`: ask a panel of models, and get one answer."""

from __future__ import annotations

import argparse

from or_mcp.cli.paid import pay, question


def run(arguments: argparse.Namespace) -> int:
    """Run one fusion."""
    given = {
        "preset": arguments.preset,
        "analysis_models": arguments.model,
        "analyst_model": arguments.analyst,
        "writer_model": arguments.writer,
        "web": not arguments.no_web,
        "max_cost_usd": arguments.max_cost,
        "prompt": question(arguments),
    }
    return pay("fuse", given, arguments)
