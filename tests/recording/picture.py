"""What a terminal shows after some output: only as much of one as our program uses, and nothing else is let pass."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from or_mcp.cli.terminal import width

_COMMAND = re.compile(r"\x1b\[(\d*)([A-Za-z])|\r\n|[\r\n]|[^\x1b\r\n]")


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a line: a character and its colour, "" for the second half of a wide character."""

    character: str
    tone: str = ""


@dataclass(slots=True)
class Picture:
    """A terminal of so many columns, as tall as need be."""

    columns: int
    rows: list[list[Cell]] = field(default_factory=lambda: [[]])
    row: int = 0
    column: int = 0
    tone: str = ""

    def feed(self, output: str) -> None:
        """Show some more output; whole commands only."""
        at = 0
        for found in _COMMAND.finditer(output):
            assert found.start() == at, f"a command no terminal of ours knows: {output[at : at + 20]!r}"
            at = found.end()
            self._obey(found[1], found[2]) if found[2] else self._put(found[0])
        assert at == len(output), repr(output[at : at + 20])

    @property
    def lines(self) -> list[str]:
        """The text, line by line."""
        return ["".join(cell.character for cell in row).rstrip() for row in self.rows]

    def _put(self, character: str) -> None:
        if character in ("\n", "\r\n"):
            self._go(self.row + 1, 0)
        elif character == "\r":
            self.column = 0
        elif not (taken := width(character)):
            before = self.rows[self.row][self.column - 1]
            self.rows[self.row][self.column - 1] = Cell(before.character + character, before.tone)
        else:
            if self.column + taken > self.columns:
                self._go(self.row + 1, 0)
            cells = [Cell(character, self.tone), *[Cell("", self.tone)] * (taken - 1)]
            self.rows[self.row][self.column : self.column + taken] = cells
            self.column += taken

    def _go(self, row: int, column: int) -> None:
        self.row, self.column = max(0, row), column
        while len(self.rows) <= self.row:
            self.rows.append([])

    def _obey(self, number: str, name: str) -> None:
        match name:
            case "F":
                self._go(self.row - int(number or 1), 0)
            case "K":
                assert number == "2"
                self.rows[self.row] = []
            case "J":
                assert number == ""
                del self.rows[self.row][self.column :]
                del self.rows[self.row + 1 :]
            case "m":
                self.tone = "" if number in ("", "0") else number
            case _:
                raise AssertionError(f"a command no terminal of ours knows: {number}{name}")


def told_on_a_terminal(
    command: list[str], environment: dict[str, str], *, columns: int, rows: int = 40
) -> Iterator[tuple[float, str]]:
    """Run a command on a real pseudo-terminal: what it printed, in whole commands, and after how many seconds."""
    import fcntl
    import termios

    terminal, inside = os.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    variables = {name: value for name, value in environment.items() if name != "NO_COLOR"} | {"TERM": "xterm-256color"}
    began, kept = time.monotonic(), b""
    with subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, env=variables) as process:
        os.close(inside)
        while taken := _read(terminal):
            kept += taken
            # What is printed at once ends with a line or a command, and never inside a character.
            if kept[-1:] in b"\nJKm":
                yield time.monotonic() - began, kept.decode()
                kept = b""
    os.close(terminal)
    assert (process.returncode, kept) == (0, b"")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:
        # Linux says so when the last process has left.
        return b""


def our_program(*arguments: str) -> list[str]:
    """The command that starts or-mcp with this interpreter."""
    return [sys.executable, "-m", "or_mcp", *arguments]
