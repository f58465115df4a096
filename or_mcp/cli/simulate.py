"""`or-mcp simulate`: the OpenRouter simulator on loopback."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from or_mcp.cli import fail

if TYPE_CHECKING:
    from or_mcp.simulator import Simulator


def run(arguments: argparse.Namespace) -> int:
    """Serve the simulator until it is stopped."""
    import anyio

    from or_mcp.simulator import FaultError, Simulator, load_faults

    try:
        faults = load_faults(Path(arguments.faults)) if arguments.faults else []
    except (FaultError, OSError) as error:
        return fail(f"--faults {arguments.faults}: {error}", 2)
    try:
        anyio.run(_serve, Simulator(faults=faults), arguments.port)
    except OSError as error:
        return fail(f"port {arguments.port}: {error.strerror or error}")
    return 0


async def _serve(simulator: Simulator, port: int) -> None:
    import anyio

    async with simulator.running(port=port) as base_url:
        print(base_url, flush=True)
        print("Any bearer is a key (sk-or-mgmt-… a management key). Nothing here is real, nothing is paid.", flush=True)
        await anyio.sleep_forever()
