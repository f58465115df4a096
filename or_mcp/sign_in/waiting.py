"""Waiting for a person, with an end."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

# How long Ctrl-C may go unheard.
_WAKE_SECONDS = 0.5


def first(answers: queue.SimpleQueue[T], seconds: float) -> T | None:
    """The first answer, or None. It wakes often: on Windows a waiting thread does not hear Ctrl-C."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        with suppress(queue.Empty):
            return answers.get(timeout=min(left, _WAKE_SECONDS))
    return None


def typed_line(seconds: float) -> str | None:
    """A line of stdin, or None when it does not come in time."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: lines.put(_line()), daemon=True).start()
    return first(lines, seconds)


def _line() -> str:
    # Python's own reader, were it still waiting in a thread, would not let the program end.
    read = b""
    while b"\n" not in read and (more := os.read(sys.stdin.fileno(), 4096)):
        read += more
    return read.partition(b"\n")[0].decode("ascii", "replace").strip()
