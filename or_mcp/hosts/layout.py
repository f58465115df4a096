"""How a text is laid out: what is added to it looks like what is there."""

from __future__ import annotations


def newline_of(text: str) -> str:
    """How most lines end."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def indent_of(text: str, at: int) -> str:
    """The space that the line of this place begins with."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def starts_line(text: str, at: int) -> bool:
    """Whether only space stands before this place on its line, and a line stands before that."""
    line = text.rfind("\n", 0, at)
    return line >= 0 and not text[line + 1 : at].strip(" \t")
