"""A file that a run made, as its record tells of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MadeFile:
    """What it is called, what it is, and how it stands on the shelf: by its content, on the machine that made it."""

    name: str
    stored: str
    mime: str
    bytes: int
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    machine: str = ""
