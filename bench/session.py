"""One MCP session over a child's stdin and stdout: blocking, so that nothing of ours counts in the figures."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.programs import Program, busy_seconds, complaint, environment, resident_mb, started
from bench.protocol import INITIALIZED, Era, checked, question

# A busy machine starts a server slowly.
_SILENCE_SECONDS = 120


class Session:
    """A session that is open: requests go out, replies come back."""

    def __init__(self, incoming: int, outgoing: int, era: Era, pid: int) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._era = era
        self._pid = pid
        self._number = 0
        self._rest = b""

    def open(self) -> bytes:
        """Open the session and list the tools: what a host does first. Returns the list as it came."""
        self._send([self._era.open(self._next())])
        checked(self._reply()[1])
        if self._era.handshake:
            self._send([INITIALIZED])
        self._send([self._era.message(self._next(), "tools/list", {})])
        line, message = self._reply()
        checked(message)
        return line

    def ask(self, calls: int = 1) -> float:
        """Seconds from the first of so many `ask` at once to the last answer."""
        messages = [self._era.message(self._next(), "tools/call", question()) for _ in range(calls)]
        start = perf_counter()
        self._send(messages)
        replies = [self._line() for _ in messages]
        took = perf_counter() - start
        for line in replies:
            checked(json.loads(line))
        return took

    def call(self, tool: str, arguments: Mapping[str, Any]) -> float:
        """Seconds that one call of a tool takes."""
        message = self._era.message(self._next(), "tools/call", {"name": tool, "arguments": arguments})
        start = perf_counter()
        self._send([message])
        line = self._line()
        took = perf_counter() - start
        checked(json.loads(line))
        return took

    def told(self, tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """What one call of a tool is answered with."""
        self._send([self._era.message(self._next(), "tools/call", {"name": tool, "arguments": arguments})])
        return checked(json.loads(self._line()))["structuredContent"]

    def resident_mb(self) -> float:
        """The memory the server holds now."""
        return resident_mb(self._pid)

    def busy_seconds(self) -> float:
        """The CPU time that the server has used."""
        return busy_seconds(self._pid)

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _send(self, messages: Sequence[bytes]) -> None:
        data = b"".join(message + b"\n" for message in messages)
        while data:
            data = data[os.write(self._outgoing, data) :]

    def _reply(self) -> tuple[bytes, Mapping[str, Any]]:
        line = self._line()
        return line, json.loads(line)

    def _line(self) -> bytes:
        """The next message that is a reply; notifications are passed over."""
        while True:
            line, found, rest = self._rest.partition(b"\n")
            if not found:
                self._rest += self._read()
                continue
            self._rest = rest
            if b'"id":' in line:
                return line

    def _read(self) -> bytes:
        if not select.select([self._incoming], [], [], _SILENCE_SECONDS)[0]:
            raise RuntimeError(f"A server was silent for {_SILENCE_SECONDS} s")
        data = os.read(self._incoming, 1 << 20)
        if not data:
            raise RuntimeError("A server ended")
        return data


@contextmanager
def session(program: Program, base_url: str, data: Path, era: Era, resident: str = "off") -> Generator[Session]:
    """A server on stdio. Its session is not open yet."""
    with started(program.command(), environment(base_url, data, resident)) as (process, errors):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Session(process.stdout.fileno(), process.stdin.fileno(), era, process.pid)
        except RuntimeError as error:
            raise RuntimeError(f"{program.name}: {error}\n{complaint(errors)}") from error
