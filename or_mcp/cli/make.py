"""`or-mcp make`: a picture, speech, a video, a transcript, as files."""

from __future__ import annotations

import argparse
import sys

from or_mcp.cli.paid import pay


def run(arguments: argparse.Namespace) -> int:
    """Make it."""
    words: str = sys.stdin.read() if arguments.prompt == "-" else arguments.prompt
    given = {
        "kind": arguments.kind,
        "model": arguments.model,
        "count": arguments.count,
        "size": arguments.size,
        "aspect_ratio": arguments.aspect_ratio,
        "seconds": arguments.seconds,
        "voice": arguments.voice,
        "format": arguments.format,
        "attachments": arguments.attach,
        "max_cost_usd": arguments.max_cost,
        "prompt": words.strip(),
    }
    return pay("make", given, arguments, out=arguments.out)
