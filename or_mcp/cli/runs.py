"""`or-mcp runs`: what was paid for, whoever asked for it on this machine."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from or_mcp.cli import fail
from or_mcp.cli.readable import readable
from or_mcp.cli.terminal import as_json, emit, fitted, safe, wrapped
from or_mcp.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from or_mcp.calls.call import Parts
    from or_mcp.runs.record import RunRecord

# About a screen and a half.
_LISTED = 50


def run(arguments: argparse.Namespace) -> int:
    """List runs, or show, report or stop one."""
    import anyio

    if not arguments.run_id and (arguments.html or arguments.cancel):
        return fail("--html and --cancel need a RUN_ID; `or-mcp runs` lists them", 2)
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        return fail(str(error), 2)
    return anyio.run(_run, settings, arguments)


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    from or_mcp.openrouter.errors import NotFound
    from or_mcp.server import Program

    async with Program(settings).running(warm=False) as parts:
        if parts.runner.store.problem:
            print(f"or-mcp: {parts.runner.store.problem}", file=sys.stderr)
        if not arguments.run_id:
            return _list(await parts.runner.everybodys().latest(_LISTED), arguments)
        try:
            record = await parts.runner.everybodys().find(arguments.run_id)
        except NotFound as failure:
            return fail(f"{failure.message}; `or-mcp runs` lists them")
        if arguments.cancel:
            record = await parts.runner.everybodys().cancel(record.run_id)
        return _show(record, parts, arguments)


def _list(records: list[RunRecord], arguments: argparse.Namespace) -> int:
    from or_mcp.tools.run import run_row

    rows = [run_row(record) for record in records]
    if arguments.json:
        emit(as_json([row.model_dump(mode="json") for row in rows]))
        return 0
    for row in rows:
        cost = "      $?" if row.cost_usd is None else f"${row.cost_usd:>7.4f}"
        started = row.started.replace("T", " ")[:16]
        told = f"{row.run_id}  {started}  {row.tool:<6}  {row.outcome or row.status:<13}  {cost}"
        emit(f"{told}  {fitted(row.prompt, 50)}")
    if not rows:
        print("No runs yet.", file=sys.stderr)
    return 0


def _show(record: RunRecord, parts: Parts, arguments: argparse.Namespace) -> int:
    from or_mcp.calls.keepsake import Shown
    from or_mcp.calls.reply import FACTS, to_result
    from or_mcp.runs.budget import dollars

    cost = "unknown" if record.cost_usd is None else dollars(record.cost_usd)
    shown = Shown(detail="full", cost_line=f"Cost: {cost}")
    keepsake = parts.keepsakes[record.request.tool]
    reply = keepsake.show(record, keepsake.read(record), shown)
    result = to_result(reply)
    told: dict[str, Any] = {
        **(result.structured_content or {}),
        "tool": record.request.tool,
        "prompt": record.request.prompt,
    }
    if arguments.html:
        return _write_report(Path(arguments.html), told)
    if arguments.json:
        emit(as_json(told))
    elif record.request.tool in ("fuse", "ask"):
        emit(wrapped(readable(told, (result.meta or {})[FACTS]), sys.stdout))
    else:
        emit(wrapped(safe(reply.text), sys.stdout))
    return 0


def _write_report(path: Path, told: dict[str, Any]) -> int:
    from or_mcp.runs.private import write_private
    from or_mcp.view.report import report_html

    try:
        write_private(path, report_html(told))
    except OSError as error:
        return fail(f"--html {path}: {error.strerror}")
    emit(str(path))
    return 0
