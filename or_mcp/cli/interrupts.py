"""Ctrl-C: the first one stops the run and keeps what has arrived, a second one ends the program at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

CANCELLED = 128 + signal.SIGINT


@contextmanager
def on_interrupt(stop: Callable[[], None]) -> Generator[None]:
    """While this lasts, Ctrl-C calls `stop` in the event loop. Windows knows no other way than a plain handler."""
    loop = asyncio.get_running_loop()

    def first(*_: object) -> None:
        signal.signal(signal.SIGINT, _at_once)
        loop.call_soon_threadsafe(stop)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _at_once(*_: object) -> None:
    # The store survives this, and whoever looks next finds the run interrupted with all that had arrived.
    os._exit(CANCELLED)
