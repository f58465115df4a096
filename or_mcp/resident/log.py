"""Where a resident's log goes: to the host of the session that it is about, else to a file of bounded length."""

from __future__ import annotations

import logging
import os
import select
from contextvars import ContextVar
from dataclasses import dataclass

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_FILE_LEVEL = logging.WARNING
# Some thousand lines: enough to see what went wrong, and nothing that fills a disk.
_LONGEST_FILE = 512 * 1024


@dataclass(slots=True)
class Ear:
    """A session's stderr, and how much it wants to hear; closed, it hears nothing."""

    descriptor: int
    level: int
    is_open: bool = True


_session: ContextVar[Ear | None] = ContextVar("session", default=None)


_open: list[Ear] = []


def hears(ear: Ear) -> None:
    """From here on, what is logged in this task and those that it starts is a session's."""
    _session.set(ear)
    _open.append(ear)
    _listen()


def leaves(ear: Ear) -> None:
    """A session hears nothing more."""
    ear.is_open = False
    _open.remove(ear)
    _listen()


def begin() -> None:
    """Write what is logged in this process where it belongs."""
    logging.basicConfig(handlers=[Log()])
    _listen()


def _listen() -> None:
    # What nobody hears is not even put into words.
    logging.getLogger().setLevel(min([_FILE_LEVEL, *(ear.level for ear in _open)]))


class Log(logging.Handler):
    """Writes each record where it belongs."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or let it go: nobody waits for somebody who does not read."""
        ear = _session.get()
        is_heard = ear is not None and ear.is_open
        if record.levelno < (ear.level if ear is not None and is_heard else _FILE_LEVEL):
            return
        line = (self.format(record) + "\n").encode(errors="replace")
        if ear is not None and is_heard:
            _write_now(ear.descriptor, line)
        else:
            os.write(2, line)


def _write_now(descriptor: int, line: bytes) -> None:
    # A pipe that can be written at all takes as much as is written to it in one piece.
    waiting = select.poll()
    waiting.register(descriptor, select.POLLOUT)
    try:
        if waiting.poll(0) == [(descriptor, select.POLLOUT)]:
            os.write(descriptor, line[: select.PIPE_BUF])
    except OSError:
        return


def keep_short(descriptor: int) -> None:
    """Begin a log file anew that has become too long."""
    if os.fstat(descriptor).st_size > _LONGEST_FILE:
        os.ftruncate(descriptor, 0)
