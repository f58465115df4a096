"""What lies between a host and its database: it passes, holds, refuses, delays, or cuts where it hurts most."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Hold:
    """What a host sends with these words, or what the database answers to it, waits until it may go on."""

    def __init__(self, loop: asyncio.AbstractEventLoop, words: bytes, *, answer: bool) -> None:
        self._loop = loop
        self.words = words
        self.holds_answer = answer
        self.has_come = threading.Event()
        self._may_go = asyncio.Event()

    async def pass_by(self) -> None:
        """Wait there."""
        self.has_come.set()
        await self._may_go.wait()

    def release(self) -> None:
        """Let it go on."""
        self._loop.call_soon_threadsafe(self._may_go.set)


class Proxy:
    """A TCP proxy in a thread of its own."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self.passing = asyncio.Event()
        self.passing.set()
        self._refusing = False
        self.delayed = 0.0
        self.commits_to_cut = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self.cut = self.refused = 0
        self.port = 0
        self.holds: list[Hold] = []

    def hold_at(self, words: bytes, *, answer: bool = False) -> Hold:
        """Hold one message, or the answer to it."""
        self.holds.append(Hold(self._loop, words, answer=answer))
        return self.holds[-1]

    def hold(self) -> None:
        """Let nothing through, and break nothing: what was sent waits."""
        self._loop.call_soon_threadsafe(self.passing.clear)

    def release(self) -> None:
        """Let everything through again."""
        self._refusing = False
        self._loop.call_soon_threadsafe(self.passing.set)

    def refuse(self) -> None:
        """Break every connection, and take no new one."""
        self._refusing = True
        self._loop.call_soon_threadsafe(self._break)

    def delay(self, seconds: float) -> None:
        """Let everything through later."""
        self.delayed = seconds

    def cut_commits(self, times: int) -> None:
        """So many times, the server commits, and whoever asked for it never hears so."""
        self.commits_to_cut = times

    def _break(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            self.refused += 1
            writer.transport.abort()
            return
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        ours = {writer, there[1]}
        self._writers |= ours
        link = _Link(self)
        try:
            # Whoever ends this proxy breaks what passes through it.
            with suppress(asyncio.CancelledError):
                await asyncio.gather(link.pump(reader, there[1], outward=True), link.pump(there[0], writer))
        finally:
            self._writers -= ours
            for each in ours:
                each.transport.abort()

    @contextmanager
    def running(self) -> Generator[Proxy]:
        """Serve until the block is left."""
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop).result(
            10
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._end(server), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        self.passing.set()
        self._break()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Link:
    """One connection through it."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._is_to_be_cut = False
        self._answer: Hold | None = None

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, outward: bool = False) -> None:
        """Carry bytes one way, until one end has gone."""
        proxy = self._proxy
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                await proxy.passing.wait()
                await self._held(data, outward=outward)
                if proxy.delayed:
                    await asyncio.sleep(proxy.delayed)
                if outward and b"COMMIT" in data and proxy.commits_to_cut:
                    proxy.commits_to_cut -= 1
                    self._is_to_be_cut = True
                elif self._is_to_be_cut and not outward:
                    proxy.cut += 1
                    break
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    async def _held(self, data: bytes, *, outward: bool) -> None:
        """Wait where a message is held, or the answer to one."""
        holds = self._proxy.holds
        held = next((hold for hold in holds if hold.words in data), None) if outward else None
        if held is not None:
            holds.remove(held)
            if held.holds_answer:
                self._answer = held
            else:
                await held.pass_by()
        elif not outward and self._answer is not None:
            answered, self._answer = self._answer, None
            await answered.pass_by()
