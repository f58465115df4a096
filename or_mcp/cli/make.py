"""`or-mcp make`: a picture, speech, a video, a transcript, as files."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from or_mcp.cli import fail
from or_mcp.cli.paid import pay
from or_mcp.cli.terminal import emit, safe


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    words = sys.stdin.read() if arguments.prompt == "-" else arguments.prompt
    given = {
        "kind": arguments.kind,
        "model": arguments.model,
        "count": arguments.count if arguments.count != 1 else None,
        "size": arguments.size,
        "aspect_ratio": arguments.aspect_ratio,
        "seconds": arguments.seconds,
        "voice": arguments.voice,
        "format": arguments.format,
        "attachments": arguments.attach,
        "max_cost_usd": arguments.max_cost,
        "prompt": words.strip(),
    }
    if not given["prompt"] and arguments.kind != "transcript":
        return fail(f"there is nothing said of what to make; kind {arguments.kind} takes words", 2)
    out = Path(arguments.out) if arguments.out else None
    return pay("make", given, arguments, lambda told: _copied(told, out))


def _copied(told: Mapping[str, Any], out: Path | None) -> int:
    """Copies of the files where they were asked for; of several, each with its number."""
    if out is None:
        return 0
    files: list[Mapping[str, Any]] = told["files"]
    try:
        for number, file in enumerate(files, 1):
            path = out if len(files) == 1 else out.with_name(f"{out.stem}-{number}{out.suffix}")
            shutil.copyfile(file["path"], path)
            emit(safe(f"Written: {path}"), sys.stderr)
        if not files and told.get("text"):
            out.write_text(told["text"], encoding="utf-8")
            emit(safe(f"Written: {out}"), sys.stderr)
    except OSError as error:
        return fail(f"{out} cannot be written ({error.strerror}); what was made is kept, see `or-mcp runs`")
    return 0
