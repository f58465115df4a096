"""`or-mcp simulate`: the OpenRouter simulator on loopback."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from or_mcp.cli import fail
from or_mcp.cli.terminal import say

if TYPE_CHECKING:
    from or_mcp.simulator import Simulator


def run(arguments: argparse.Namespace) -> int:
    """Serve the simulator until it is stopped."""
    import anyio

    from or_mcp.simulator import FaultError, RowError, Simulator, load_faults

    try:
        faults = load_faults(Path(arguments.faults)) if arguments.faults else []
    except (FaultError, OSError) as error:
        return fail(f"--faults {arguments.faults}: {error}", 2)
    try:
        models = json.loads(Path(arguments.models).read_text(encoding="utf-8")) if arguments.models else None
        simulator = Simulator(faults=faults, models=models)
    except (RowError, OSError, ValueError) as error:
        return fail(f"--models {arguments.models}: {error}", 2)
    try:
        anyio.run(_serve, simulator, arguments.port)
    except OSError as error:
        return fail(f"port {arguments.port}: {error.strerror or error}")
    return 0


async def _serve(simulator: Simulator, port: int) -> None:
    import anyio

    async with simulator.running(port=port) as base_url:
        say(base_url)
        say("Any bearer is a key (sk-or-mgmt-… a management key). Nothing here is real, nothing is paid.")
        await anyio.sleep_forever()
