"""`or-mcp runs`: what was paid for, whoever asked for it on this machine."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from or_mcp.cli import fail
from or_mcp.cli.readable import readable
from or_mcp.cli.terminal import as_json, can_redraw, emit, fitted, safe, say, size, width, wrapped
from or_mcp.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from or_mcp.calls.call import Parts
    from or_mcp.runs.record import RunRecord
    from or_mcp.tools.run import RunRow

# About a screen and a half.
_LISTED = 50
_VERBS = ("show", "report", "stop")
# So much of a line is not the question.
_TAKEN = 80


def run(arguments: argparse.Namespace) -> int:
    """List runs, or show, report or stop one."""
    import anyio

    if problem := _understood(arguments):
        return fail(problem, 2)
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        return fail(str(error), 2)
    return anyio.run(_run, settings, arguments)


def _understood(arguments: argparse.Namespace) -> str:
    """Read `show ID`, `report ID` and `stop ID` as their options; the answer is what is wrong."""
    words: list[str] = arguments.words
    verb = words[0] if words and words[0] in _VERBS else ""
    ids = words[1:] if verb else words
    arguments.run_id = ids[0] if ids else ""
    if len(ids) > 1:
        return f"{ids[1]!r} is too much: it takes one RUN_ID, after {', '.join(_VERBS)} or alone"
    if not ids and (verb or arguments.html or arguments.cancel):
        return f"{', '.join(_VERBS)}, --html and --cancel need a RUN_ID; `or-mcp runs` lists them"
    arguments.cancel |= verb == "stop"
    if verb == "report":
        arguments.html = arguments.html or f"{arguments.run_id}.html"
    return ""


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
        return await _show(record, parts, arguments)


def _list(records: list[RunRecord], arguments: argparse.Namespace) -> int:
    from or_mcp.tools.run import run_row

    rows = [run_row(record) for record in records]
    if arguments.json:
        emit(as_json([row.model_dump(mode="json") for row in rows]))
        return 0
    for row in rows:
        emit(_line(row))
    if not rows:
        print("No runs yet.", file=sys.stderr)
    return 0


def _line(row: RunRow) -> str:
    """A run in one line; in a narrow window its question stands on a second one."""
    cost = "unknown" if row.cost_usd is None else f"${row.cost_usd:.4f}"
    started = row.started.replace("T", " ")[:16]
    columns = size(sys.stdout)[0] if can_redraw(sys.stdout) else _TAKEN + 50
    if columns > _TAKEN + 20:
        line = f"{row.run_id}  {started}  {row.tool:<6}  {row.outcome or row.status:<13}  {cost:>8}"
        return f"{line}  {fitted(row.prompt, min(50, columns - width(line) - 2))}"
    line = " · ".join([started, row.tool, row.outcome or row.status, cost])
    return f"{row.run_id}\n{wrapped(f'  {line}', sys.stdout)}\n  {fitted(row.prompt, columns - 2)}"


async def _show(record: RunRecord, parts: Parts, arguments: argparse.Namespace) -> int:
    from or_mcp.calls.keepsake import Shown
    from or_mcp.calls.made_files import with_files
    from or_mcp.calls.reply import FACTS, to_result
    from or_mcp.runs.budget import dollars

    cost = "unknown" if record.cost_usd is None else dollars(record.cost_usd)
    keepsake = parts.keepsakes[record.request.tool]
    kept = keepsake.read(record)
    shown = Shown(detail="full", cost_line=f"Cost: {cost}")
    shown = await with_files(shown, keepsake.made(kept), parts.shelf, parts.shelf.folder)
    reply = keepsake.show(record, kept, shown)
    result = to_result(reply)
    answer: dict[str, Any] = {**(result.structured_content or {}), **record.request.heading}
    if arguments.html:
        return _write_report(Path(arguments.html), answer)
    if arguments.json:
        emit(as_json(answer))
    elif record.request.tool in ("fuse", "ask"):
        say(readable(answer, (result.meta or {})[FACTS]))
    else:
        say(safe(reply.text))
    if not arguments.json:
        say(_asked(record))
    return 0


def _asked(record: RunRecord) -> str:
    """When, and by which program, as it calls itself."""
    from or_mcp.calls.quoting import named

    by = f" by {safe(named(record.request.asked_by))}" if record.request.asked_by else ""
    return f"Asked: {record.started:%Y-%m-%d %H:%M} UTC{by}"


def _write_report(path: Path, answer: dict[str, Any]) -> int:
    from or_mcp.runs.private import write_private
    from or_mcp.view.report import report_html

    try:
        write_private(path, report_html(answer))
    except OSError as error:
        return fail(f"--html {path}: {error.strerror}")
    emit(str(path))
    return 0
