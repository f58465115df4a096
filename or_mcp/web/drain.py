"""The end of a process: no new runs, calls in flight answered or told `running`, and only then the connections cut."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from or_mcp.server import Program
from or_mcp.web.doors import PATH

# Together with the next less than the 10 s after which containers are killed.
_ANSWER_SECONDS = 6.0
_CUT_SECONDS = 2.0


class Drain:
    """Knows which requests are in flight, and when it is time to end them."""

    def __init__(self, program: Program) -> None:
        self.draining = False
        self._program = program
        self._flying: set[anyio.CancelScope] = set()
        self._begun = anyio.Event()

    def begin(self) -> None:
        """No new runs from here on."""
        if not self.draining:
            self.draining = True
            self._program.leave()
            if self._program.parts is not None:
                self._program.parts.runner.takes_runs = False
            self._begun.set()

    async def ended(self) -> None:
        """Wait until nothing is in flight; those who wait for long runs are told `running` before it gets late."""
        with anyio.move_on_after(_ANSWER_SECONDS):
            await self._until_landed()
        if self._program.parts is not None:
            self._program.parts.runner.waits.answer_now()
        with anyio.move_on_after(_CUT_SECONDS):
            await self._until_landed()
        for scope in list(self._flying):
            scope.cancel()

    async def _until_landed(self) -> None:
        while self._flying:  # noqa: ASYNC110
            await anyio.sleep(0.02)

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """While this block lasts, SIGTERM and SIGINT begin it, and then do what they did."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._when_begun)
            with _heard_too(self.begin):
                yield
            group.cancel_scope.cancel()

    async def _when_begun(self) -> None:
        await self._begun.wait()
        await self.ended()

    def watching(self, app: ASGIApp) -> ASGIApp:
        """The app, with its requests counted as in flight."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"] != PATH:
                await app(scope, receive, send)
                return
            with anyio.CancelScope() as flight:
                self._flying.add(flight)
                try:
                    await app(scope, receive, send)
                finally:
                    self._flying.discard(flight)

        return watched


@contextmanager
def _heard_too(begin: Callable[[], None]) -> Generator[None]:
    """Signals are heard here first; whoever serves this app hears them as before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def heard(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in before:
        signal.signal(number, heard)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is heard:
                signal.signal(number, handler)
