"""The resident: one process that serves every session of a user which is started with the same settings."""

from __future__ import annotations

import fcntl
import gc
import os
import socket
import sys
from pathlib import Path

from or_mcp.starting.starter import LISTENING


def main() -> int:
    """Serve sessions until nobody needs them any more."""
    # Whatever a host left open in what it started is none of ours.
    os.closerange(LISTENING + 1, min(os.sysconf("SC_OPEN_MAX"), 65_536))
    fcntl.fcntl(LISTENING, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    os.chdir("/")
    listening = socket.socket(fileno=LISTENING)
    listening.settimeout(0)
    # Importing allocates much that lives for ever: collecting it meanwhile costs a tenth of the start.
    gc.disable()
    import anyio

    from or_mcp.resident.house import House
    from or_mcp.resident.log import begin
    from or_mcp.settings import read_settings

    settings = read_settings(os.environ)
    begin()
    house = House(settings, listening, Path(sys.argv[2]), Path(sys.argv[3]))
    gc.freeze()
    gc.enable()
    anyio.run(house.serve)
    return 1 if house.failed else 0
