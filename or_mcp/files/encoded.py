"""Bytes as base64, in slices: whoever holds the interpreter for a whole picture stalls everybody else."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Iterator

# Characters at a time, a multiple of four; and of bytes, of three.
_CHARACTERS, _BYTES = 1 << 20, 3 << 18
# A data URL's head has some tens of characters.
_HEAD = 200
_DATA = "data:"


def decoded(text: str) -> bytes | None:
    """The bytes of base64 or of a data URL; None if it is neither. It may take long."""
    start = text.find(",", 0, _HEAD) + 1 if text.startswith(_DATA) else 0
    if (text.startswith(_DATA) and not start) or not text.isascii():
        return None
    try:
        return b"".join(a2b_base64(part, strict_mode=True) for part in _slices(text, start)) or None
    except Error:
        return None


def _slices(text: str, start: int) -> Iterator[str]:
    if any(sign in text for sign in "\n\r "):
        text, start = "".join(text[start:].split()), 0
    for at in range(start, len(text), _CHARACTERS):
        yield text[at : at + _CHARACTERS]


def encoded(data: bytes) -> str:
    """The base64 of bytes. It may take long."""
    view = memoryview(data)
    parts = (b2a_base64(view[at : at + _BYTES], newline=False) for at in range(0, len(data), _BYTES))
    return b"".join(parts).decode("ascii")
