"""What is sent: a request, and its JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

# A piece is written, and encrypted, in well under a millisecond.
PIECE = 128 * 1024


class Request(BaseModel):
    """Part of a request. What is not set is not sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    def body(self) -> dict[str, Any]:
        """The JSON to send, with the same key order for the same request."""
        return self.model_dump(mode="json", exclude_none=True)

    def written(self) -> Iterator[bytes]:
        """The same as bytes, piece by piece."""
        return pieces(self.body())


def pieces(value: Any) -> Iterator[bytes]:
    """The JSON of a value, piece by piece: a picture in it is tens of megabytes, and nobody should wait for all."""
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
