"""What a terminal can show, and what it must not be sent."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any, TextIO

# What a terminal would obey, what reorders what is read, and what cannot be written as UTF-8.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOURS = re.compile("\x1b\\[[0-9]+m")
_STRONG = re.compile(r"\*\*(?=\S)(.{1,400}?)(?<=\S)\*\*")
_INDENT = re.compile(r" *(?:[-*+✓✗·] |\d{1,3}[.)] )?")
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
# Longer lines are hard to read.
_LONGEST_LINE = 100
_PLAIN = str.maketrans(
    {"✓": "+", "✗": "x", "■": "!", "·": "-", "…": "...", "│": "|", "█": "#", "▌": "#", "░": "."}
    | dict.fromkeys(SPINNER, "-")
)
_TONES = {"good": "32", "bad": "31", "warn": "33", "quiet": "2", "strong": "1"}


def safe(text: str) -> str:
    """Words of models and of the web, which could otherwise move the cursor, change a title or pass for other words."""
    return _OBEYED.sub("\ufffd", text.replace("\r\n", "\n"))


def as_json(value: Any) -> str:
    """One line of JSON that loses nothing and that a terminal can be shown."""
    written = json.dumps(value, ensure_ascii=not can_write("✓", sys.stdout))
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def emit(text: str, stream: TextIO | None = None, end: str = "\n") -> None:
    """Print at once, with plainer characters for those that the stream's encoding does not know."""
    out = stream or sys.stdout
    encoding = out.encoding or "utf-8"
    if not can_write(text, out):
        text = text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    try:
        print(text, end=end, file=out, flush=True)
    except BrokenPipeError:
        # Whoever read this has seen enough; what was paid for is in the store.
        let_go(out)


def let_go(stream: TextIO) -> None:
    """Nobody reads this stream any more: what is still to be written goes nowhere, and complains to nobody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def can_write(text: str, stream: TextIO) -> bool:
    """Whether the stream's encoding knows these characters."""
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def can_redraw(stream: TextIO) -> bool:
    """Whether lines can be drawn anew in place. An old Windows console would print our commands instead."""
    modern = sys.platform != "win32" or "WT_SESSION" in os.environ or "TERM" in os.environ
    return stream.isatty() and os.environ.get("TERM") != "dumb" and modern


def tinted(text: str, tone: str, stream: TextIO) -> str:
    """The text in a colour, where colours are wanted."""
    if tone not in _TONES or os.environ.get("NO_COLOR") or not can_redraw(stream):
        return text
    return f"\x1b[{_TONES[tone]}m{text}\x1b[0m"


def size(stream: TextIO) -> tuple[int, int]:
    """Columns and rows."""
    try:
        taken = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return 80, 24
    # Some pseudo-terminals have no size until somebody gives them one.
    return taken.columns or 80, taken.lines or 24


def width(text: str) -> int:
    """The columns a text takes: two for wide characters, none for those that join the one before."""
    return sum(_columns(character) for character in _COLOURS.sub("", text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fitted(text: str, columns: int) -> str:
    """The text on one line of so many columns."""
    line = " ".join(safe(text).split("\n")).replace("\t", " ")
    if width(line) <= columns:
        return line
    kept, taken = "", 1
    for character in line:
        taken += _columns(character)
        if taken > columns:
            break
        kept += character
    return f"{kept.rstrip()}…" if columns > 0 else ""


def wrapped(text: str, stream: TextIO, *, less: int = 0) -> str:
    """The text broken between words where a terminal would break inside them; anywhere else as it is."""
    if not can_redraw(stream):
        return text
    columns = max(20, min(size(stream)[0], _LONGEST_LINE) - less)
    return "\n".join(part for line in text.split("\n") for part in parted(line, columns))


def parted(line: str, columns: int) -> Iterator[str]:
    """A line in pieces of so many columns, broken between words; what its bullet leaves is left before each."""
    indent = _INDENT.match(line)
    hanging = " " * (len(indent[0]) if indent else 0)
    words = line.split(" ")
    taken = words[0]
    for word in words[1:]:
        if width(taken) + 1 + width(word) > columns and len(taken) > len(hanging):
            yield taken
            taken = hanging + word
        else:
            taken += f" {word}"
    yield taken


def say(text: str, stream: TextIO | None = None) -> None:
    """Print words for a person: broken between words where a terminal would break inside them."""
    out = stream or sys.stdout
    emit(wrapped(text, out), out)


def marked(text: str, stream: TextIO) -> str:
    """The text with what Markdown makes strong made strong, word by word, so that lines can be broken between."""

    def strong(found: re.Match[str]) -> str:
        return " ".join(tinted(word, "strong", stream) for word in found[1].split(" "))

    return text if tinted("", "strong", stream) == "" else _STRONG.sub(strong, text)


def padded(text: str, columns: int) -> str:
    """The text fitted and filled up to so many columns."""
    line = fitted(text, columns)
    return line + " " * (columns - width(line))
