"""What `or-mcp fuse` and `or-mcp ask` share: the same run as in a host, from a terminal."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from or_mcp.cli import fail
from or_mcp.cli.interrupts import CANCELLED, on_interrupt
from or_mcp.cli.live import Screen, Watch
from or_mcp.cli.readable import readable
from or_mcp.cli.terminal import as_json, emit, say
from or_mcp.disk import replace_file
from or_mcp.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from or_mcp.calls.call import Call

_EXIT_CODES = {"completed": 0, "cancelled": CANCELLED}


def question(arguments: argparse.Namespace) -> str:
    """The question, from the command line or stdin."""
    return (sys.stdin.read() if arguments.question == "-" else arguments.question).strip()


def pay(tool: str, given: Mapping[str, Any], arguments: argparse.Namespace, *, out: str = "") -> int:
    """Run a paid tool, show it live, print its result; `out` is a file for all of it, or for what it made."""
    import anyio

    if not given["prompt"] and not given.get("attachments"):
        return fail("the question is empty", 2)
    try:
        settings = read_settings(os.environ)
        asked = {name: value for name, value in given.items() if value not in ("", None, [])}
        return anyio.run(_pay, settings, tool, asked, arguments.json, out)
    except SettingsError as error:
        return fail(str(error), 2)


async def _pay(settings: Settings, tool: str, given: Mapping[str, Any], as_data: bool, out: str) -> int:
    from or_mcp.calls.boundary import answer
    from or_mcp.calls.call import Call
    from or_mcp.calls.reply import FACTS
    from or_mcp.server import Program
    from or_mcp.tools import ALL_TOOLS

    program = Program(settings)
    async with program.running() as parts:
        call = Call(parts, program.owner, "or-mcp")
        watch = Watch(lambda name, asked: answer(ALL_TOOLS, name, asked, call), Screen())
        result = await _followed(watch, call, tool, given)
        trouble = (
            await _written(call, result.structured_content["run_id"], out)
            if result is not None and not result.is_error and out
            else ""
        )
    if result is None:
        return CANCELLED
    if trouble:
        return fail(trouble)
    if result.is_error:
        return fail(result.content[0].text)
    shown: dict[str, Any] = result.structured_content
    seen = sys.stderr.isatty() and sys.stdout.isatty()
    if seen:
        watch.screen.say("")
    if as_data:
        emit(as_json(shown))
    else:
        say(readable(shown, result.meta[FACTS], failures_are_told=seen))
    return _EXIT_CODES.get(shown["status"], 1)


async def _written(call: Call, run_id: str, out: str) -> str:
    """Put all that a run brought into a file; what went wrong with that, if anything did."""
    import anyio.to_thread

    record = await call.runs.find(run_id)
    keepsake = call.parts.keepsakes[record.request.tool]
    result = keepsake.read(record)
    made = keepsake.files(result) if keepsake.files else ()
    try:
        for place, file in zip(_places(Path(out), len(made)), made, strict=True):
            await anyio.to_thread.run_sync(shutil.copyfile, call.parts.shelf.path(file), place)
        if not made:
            words = f"{keepsake.words(result)}\n".encode()
            await anyio.to_thread.run_sync(lambda: replace_file(Path(out), lambda file: file.write(words)))
    except OSError as error:
        why = f"--out could not be written to {out} ({error.strerror or error})"
        return f"{why}; `or-mcp runs show {run_id}` has all of it"
    return ""


def _places(out: Path, count: int) -> list[Path]:
    """Where each file goes; of several, each with its number."""
    return [out] if count == 1 else [out.with_name(f"{out.stem}-{n}{out.suffix}") for n in range(1, count + 1)]


async def _followed(watch: Watch, call: Call, tool: str, given: Mapping[str, Any]) -> Any:
    """The tool's answer, or None when there will be none here: Ctrl-C came before the run, or the run is another's."""
    import anyio

    async with anyio.create_task_group() as tasks:

        def stop() -> None:
            if watch.run_id and given.get("batch"):
                watch.screen.say("The batch goes on at OpenRouter: the same command, or `or-mcp runs`, fetches it.")
                tasks.cancel_scope.cancel()
                return
            if watch.run_id and not watch.joined:
                watch.screen.say("Stopping. What has arrived is kept. Ctrl-C again ends at once.")
                tasks.start_soon(call.runs.cancel, watch.run_id)
                return
            words = f"{watch.run_id} goes on where it was started; `or-mcp runs stop {watch.run_id}` stops it."
            watch.screen.say(
                words if watch.run_id else "Stopped before the run began; `or-mcp runs` lists what was sent."
            )
            tasks.cancel_scope.cancel()

        with on_interrupt(stop):
            result = await watch.follow(tool, given)
        tasks.cancel_scope.cancel()
        return result
    return None
