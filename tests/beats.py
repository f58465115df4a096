"""A clock that goes slower when the machine is busy: it counts how often this event loop could have gone on."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

BEAT_SECONDS = 0.05


class Beats:
    """The time since it was started, by the beats of the loop in which program and test run."""

    def __init__(self) -> None:
        self.counted = 0

    @property
    def seconds(self) -> float:
        """Never more than the time by the wall; on a machine at rest, the same."""
        return self.counted * BEAT_SECONDS

    async def beat(self) -> None:
        """Count until it is stopped."""
        while True:
            await anyio.sleep(BEAT_SECONDS)
            self.counted += 1


@asynccontextmanager
async def beating() -> AsyncGenerator[Beats]:
    """Count from here on."""
    beats = Beats()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(beats.beat)
        yield beats
        tasks.cancel_scope.cancel()
