"""`or-mcp demo`: the whole product with no key and no internet."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from or_mcp.cli import fail
from or_mcp.cli.interrupts import CANCELLED, on_interrupt
from or_mcp.cli.live import Screen, Watch
from or_mcp.cli.readable import readable
from or_mcp.cli.scenario import GEMINI, PANEL, QUESTION, script
from or_mcp.cli.terminal import can_redraw

LABEL = "[simulated]"
# Long enough to see panel, analyst and writer at work, short enough to be watched.
_SECONDS = 8
# One panelist fails on purpose: a panel that is not complete is what a user must be able to recognise.
_FAILING = {GEMINI: {"error": "Provider returned error: rate limited upstream", "status_code": 429}}


def run(arguments: argparse.Namespace) -> int:
    """Start a simulator and our server, run one fusion through a real MCP client, show it."""
    import anyio

    return anyio.run(_demo, arguments.plain or not can_redraw(sys.stdout))


async def _demo(plain: bool) -> int:
    import anyio

    from or_mcp.calls.reply import FACTS
    from or_mcp.simulator import Simulator

    # In a terminal a bar stands before every line that is simulated, and its first line says what it means.
    label = LABEL if plain else "│"
    screen = Screen(label, sys.stdout)
    screen.say("Simulated: a made-up OpenRouter on this machine. No key, no internet, nothing is paid.")
    screen.say(f"Asking a panel of {len(PANEL)}: {QUESTION}")
    screen.say("")
    report = Path(mkdtemp(prefix="or-mcp-demo-")) / "report.html"
    rule = script(LABEL, failing=_FAILING, duration_s=_SECONDS)
    answer: Any = None
    async with Simulator(faults=[rule]).running() as base_url, anyio.create_task_group() as tasks:

        def stop() -> None:
            screen.say("Stopping.")
            tasks.cancel_scope.cancel()

        with on_interrupt(stop):
            answer = await _fuse(base_url, report, screen)
    if answer is None:
        return CANCELLED
    if answer.is_error:
        return fail(answer.content[0].text)
    screen.say("")
    where = f"As a page: {report}"
    told = readable(answer.structured_content, answer.meta[FACTS], where, failures_are_told=True)
    for line in told.replace(f"{LABEL} ", "").splitlines():
        screen.say(line)
    return 0


async def _fuse(base_url: str, report: Path, screen: Screen) -> Any:
    import anyio.to_thread
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    from or_mcp.runs.private import write_private

    environment = {
        "OPENROUTER_BASE_URL": base_url,
        "OPENROUTER_API_KEY": "sk-or-simulated",
        "OR_MCP_DATA_DIR": str(report.parent),
        # Nothing of it stays.
        "OR_MCP_RESIDENT": "off",
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", ""),
    }
    server = StdioServerParameters(command=sys.executable, args=["-m", "or_mcp"], env=environment)
    async with Client(stdio_client(server)) as client:
        given = {"analysis_models": list(PANEL), "prompt": QUESTION}
        answer = await Watch(client.call_tool, screen).follow("fuse", given)
        if not answer.is_error:
            page = await client.read_resource(f"openrouter://runs/{answer.structured_content['run_id']}/report")
            await anyio.to_thread.run_sync(write_private, report, getattr(page.contents[0], "text", ""))
        return answer
