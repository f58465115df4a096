"""A simulator on a socket, and a client that talks to it."""

from collections.abc import AsyncGenerator

import pytest

from or_mcp.simulator import Simulator
from tests.simulator.calls import Caller


@pytest.fixture
def simulator() -> Simulator:
    """A fresh simulator."""
    return Simulator()


@pytest.fixture
async def caller(simulator: Simulator) -> AsyncGenerator[Caller]:
    """Someone with an ordinary key, connected to the simulator."""
    async with simulator.running() as base_url, Caller.connected(base_url) as connected:
        yield connected
