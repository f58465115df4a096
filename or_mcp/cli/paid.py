"""What `or-mcp fuse` and `or-mcp ask` share: the same run as in a host, from a terminal."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from or_mcp.cli import fail
from or_mcp.cli.live import follow
from or_mcp.cli.readable import readable
from or_mcp.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from or_mcp.runs.runner import Runner

_EXIT_CODES = {"completed": 0, "cancelled": 130}


def question(arguments: argparse.Namespace) -> str:
    """The question, from the command line or stdin."""
    return sys.stdin.read() if arguments.question == "-" else arguments.question


def pay(tool: str, given: Mapping[str, Any], arguments: argparse.Namespace) -> int:
    """Run a paid tool, show it live, print its result."""
    import anyio

    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        return fail(str(error), 2)
    asked = {name: value for name, value in given.items() if value not in ("", None, [])}
    return anyio.run(_pay, settings, tool, asked, arguments.json)


async def _pay(settings: Settings, tool: str, given: Mapping[str, Any], as_json: bool) -> int:
    import anyio

    from or_mcp.server import Program
    from or_mcp.tools import ALL_TOOLS
    from or_mcp.tools.boundary import answer
    from or_mcp.tools.call import Call

    program = Program(settings)
    tools = {each.name: each for each in ALL_TOOLS}
    result: Any = None
    async with program.running() as parts, anyio.create_task_group() as tasks:
        call = Call(parts, program.owner, "or-mcp")
        tasks.start_soon(_stop_on_interrupt, parts.runner)
        result = await follow(lambda name, asked: answer(tools, name, asked, call), tool, given)
        tasks.cancel_scope.cancel()
    if result.is_error:
        return fail(result.content[0].text)
    told: dict[str, Any] = result.structured_content
    print(json.dumps(told, ensure_ascii=False) if as_json else readable(told, result.content[0].text.splitlines()[-1]))
    return _EXIT_CODES.get(told["status"], 1)


async def _stop_on_interrupt(runner: Runner) -> None:
    """Ctrl-C stops the run and keeps what arrived; a second one finds no handler, and ends the program at once."""
    import anyio

    with anyio.open_signal_receiver(signal.SIGINT) as signals:
        await anext(signals)
    await runner.cancel_all()
