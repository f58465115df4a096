"""What can be wrong with a host's file, in one line for the person who owns it."""

from __future__ import annotations


class HostProblem(Exception):
    """A file is left as it is; the message says why and what to do."""


class Unreadable(HostProblem):
    """The text is not what its format allows."""

    def __init__(self, text: str, offset: int, what: str) -> None:
        line, column = position(text, offset)
        super().__init__(f"line {line}, column {column}: {what}")


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of a place, as editors count them."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
