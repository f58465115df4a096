"""JSON piece by piece: a picture in it is tens of megabytes, and nobody should wait until all of it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic_core import to_json

# A piece is written, and encrypted, in well under a millisecond.
PIECE = 128 * 1024


def pieces(value: Any) -> Iterator[bytes]:
    """The JSON of a value. No text in it makes a piece larger than some times `PIECE`."""
    if not _is_long(value):
        # The standard library takes several times as long.
        yield to_json(value)
    elif isinstance(value, str):
        yield b'"'
        for start in range(0, len(value), PIECE):
            yield to_json(value[start : start + PIECE])[1:-1]
        yield b'"'
    elif isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        yield from _listed(b"{", ((to_json(name) + b":", each) for name, each in mapping.items()), b"}")
    else:
        yield from _listed(b"[", ((b"", each) for each in value), b"]")


def _listed(begin: bytes, items: Iterator[tuple[bytes, Any]], end: bytes) -> Iterator[bytes]:
    before = begin
    for name, each in items:
        yield before + name
        yield from pieces(each)
        before = b","
    yield end


def _is_long(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > PIECE
    if isinstance(value, Mapping):
        return any(map(_is_long, cast("Mapping[str, Any]", value).values()))
    return isinstance(value, list | tuple) and any(map(_is_long, cast("list[Any]", value)))
