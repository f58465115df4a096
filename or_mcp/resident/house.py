"""All sessions of a resident: who comes, who is there, and when it may leave."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from or_mcp import __version__
from or_mcp.everything import import_everything
from or_mcp.parts import Watchers
from or_mcp.resident.handing import Refused, Request, received
from or_mcp.resident.log import keep_short
from or_mcp.resident.peer import refusal
from or_mcp.resident.sessions import SessionError, serve_session
from or_mcp.server import Program
from or_mcp.settings import Settings
from or_mcp.starting.place import SWITCH, idle_seconds
from or_mcp.starting.starter import READY

logger = logging.getLogger(__name__)

# Whoever connects sends who he is at once.
_MEETING_SECONDS = 5.0
# Sessions come and go within seconds; a look is cheap.
_LOOK_EVERY_SECONDS = 1.0
# Nobody can come any more when the program on the disk is another: what is left is what runs.
_OUTDATED_SECONDS = 2.0
_PACKAGE = Path(__file__).parents[1] / "__init__.py"


class House:
    """One resident."""

    def __init__(self, settings: Settings, listening: socket.socket, path: Path, lock: Path) -> None:
        self.failed = False
        self._program = Program(settings, Watchers(died=self._end))
        self._offering = {settings.tools: self._program}
        self._listening, self._path, self._lock = listening, path, lock
        # Every session says it again.
        self._idle_seconds = _stays(os.environ)
        self._sessions = 0
        self._is_complete = False
        self._quiet_since = self._began = 0.0
        self._installed = _installed()
        self._group: TaskGroup | None = None

    async def serve(self) -> None:
        """Serve whoever comes, until nobody has for a while."""
        self._quiet_since = self._began = anyio.current_time()
        try:
            async with self._program.running(), anyio.create_task_group() as group:
                self._group = group
                self._lock.write_text(f"{os.getpid()}\n")
                for work in (self._listen, self._until_idle, self._until_signal, self._prepare):
                    group.start_soon(work)
        except Exception:
            self.failed = True
            logger.critical("The resident failed", exc_info=True)
        finally:
            self._listening.close()

    def _end(self) -> None:
        if self._group is not None:
            self._group.cancel_scope.cancel()

    async def _prepare(self) -> None:
        await import_everything()
        self._is_complete = True

    async def _listen(self) -> None:
        async with anyio.create_task_group() as group:
            while True:
                await anyio.wait_readable(self._listening)
                try:
                    connection, _ = self._listening.accept()
                except BlockingIOError:
                    continue
                except OSError as error:
                    if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ECONNABORTED):
                        raise
                    await anyio.sleep(0.1)
                    continue
                connection.settimeout(0)
                group.start_soon(self._meet, connection)

    async def _meet(self, connection: socket.socket) -> None:
        """One connection: its trouble is its own."""
        self._sessions += 1
        try:
            with connection:
                await self._answer(connection)
        except Exception as error:
            known = isinstance(error, Refused | SessionError | OSError)
            logger.log(logging.INFO if known else logging.ERROR, "A session was not served: %s", error, exc_info=True)
        finally:
            self._sessions -= 1
            self._quiet_since = anyio.current_time()

    async def _answer(self, connection: socket.socket) -> None:
        if why := await anyio.to_thread.run_sync(refusal, connection):
            logger.warning("Somebody who connected is not served: %s", why)
            connection.send(b"N")
            return
        connection.send(READY)
        request = Request("")
        with anyio.move_on_after(_MEETING_SECONDS):
            request = await received(connection)
        if request.kind == "session":
            self._idle_seconds = _stays(request.own)
            await serve_session(connection, request, self._program_offering)
        elif request.kind == "status":
            connection.send(json.dumps(self._status()).encode())
        elif request.kind == "stop":
            connection.send(json.dumps(self._status()).encode())
            self._leave()

    def _program_offering(self, tools: tuple[str, ...]) -> Program:
        if tools not in self._offering:
            self._offering[tools] = self._program.offering(tools)
        return self._offering[tools]

    def _status(self) -> dict[str, object]:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "version": __version__,
            "pid": os.getpid(),
            # Whoever asks is connected too.
            "sessions": self._sessions - 1,
            "runs": self._runs,
            "complete": self._is_complete,
            "memory_mb": round(_resident_kb(peak) / 1024),
            "seconds": round(anyio.current_time() - self._began),
            "stays_seconds": self._idle_seconds,
            "socket": str(self._path),
        }

    @property
    def _runs(self) -> int:
        parts = self._program.parts
        return parts.runner.live_count if parts is not None else 0

    async def _until_idle(self) -> None:
        while True:
            stays = (
                self._idle_seconds if _installed() == self._installed else min(self._idle_seconds, _OUTDATED_SECONDS)
            )
            await anyio.sleep(min(_LOOK_EVERY_SECONDS, stays / 4))
            keep_short(2)
            if self._runs:
                self._quiet_since = anyio.current_time()
            elif not self._sessions and anyio.current_time() - self._quiet_since >= stays and self._is_unneeded():
                self._leave()

    def _is_unneeded(self) -> bool:
        """Whether nobody is about to come; then nobody can any more."""
        try:
            with self._lock.open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if select.select([self._listening], [], [], 0)[0]:
                    return False
                self._path.unlink(missing_ok=True)
        except BlockingIOError:
            return False
        except OSError:
            # Its directory is gone, and with it the way to it.
            return True
        return True

    async def _until_signal(self) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            await anext(signals)
        self._leave()

    def _leave(self) -> None:
        """End what is here in good order: sessions now, runs when they have had some time."""
        self._path.unlink(missing_ok=True)
        if self._group is not None:
            self._group.cancel_scope.cancel()


def _stays(environ: Mapping[str, str]) -> float:
    return idle_seconds(environ.get(SWITCH, "").strip() or "on")


def _installed() -> tuple[int, int] | None:
    """Which program is on the disk, as far as that can be seen at a glance."""
    try:
        found = _PACKAGE.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _resident_kb(peak: int) -> int:
    if sys.platform != "linux":
        return peak // 1024
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
