"""Long texts are kept once, by their hash, however many runs refer to them: attachments, and prompts.

What refers to them holds nothing in their place, and a list of where each one stood.
"""

from __future__ import annotations

import json
from base64 import b64encode
from binascii import Error, a2b_base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, cast

Json = Any
# Shorter ones are not worth a row of their own.
LONG = 1024
# What is shown of a prompt in a list.
HEAD = 200
# Whoever holds the interpreter longer than this takes stalls everybody else: decoding is done in slices.
_SLICE = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """A long text as it is kept: base64 as the bytes that it stands for, after the words before it."""

    body: bytes = field(repr=False)
    head: str = ""
    is_base64: bool = False

    @classmethod
    def of(cls, text: str) -> Piece:
        """The piece for a text."""
        head, mark, rest = text[:HEAD].partition(";base64,")
        start = len(head) + len(mark) if mark else 0
        del rest
        data = _decoded(text, start)
        return cls(text.encode(errors="replace")) if data is None else cls(data, text[:start], is_base64=True)

    @property
    def hash(self) -> str:
        """Its name."""
        return sha256(self.body).hexdigest()

    @property
    def text(self) -> str:
        """The text."""
        return self.head + b64encode(self.body).decode() if self.is_base64 else self.body.decode()


@dataclass(frozen=True, slots=True)
class Context:
    """A JSON value as it is kept: `text` without what is long, and that by its hash."""

    text: str
    bodies: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)

    @classmethod
    def of(cls, value: Json) -> Context:
        """The value, to be kept; it may take long."""
        bodies: dict[str, bytes] = {}
        apart: list[Json] = []
        slim = _slim(value, [], apart, bodies)
        return cls(json.dumps({"value": slim, "apart": apart} if apart else slim, ensure_ascii=False), bodies)

    def value(self) -> Json:
        """The value as it was; it may take long."""
        kept = json.loads(self.text)
        if "apart" not in kept:
            return kept
        for path, name, head, is_base64 in kept["apart"]:
            holder = kept["value"]
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = Piece(self.bodies[name], head, is_base64).text
        return kept["value"]


def _slim(value: Json, path: list[str | int], apart: list[Json], bodies: dict[str, bytes]) -> Json:
    if isinstance(value, str) and len(value) >= LONG and path:
        piece = Piece.of(value)
        name = piece.hash
        bodies[name] = piece.body
        apart.append([path, name, piece.head, piece.is_base64])
        return ""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Json]", value)
        return {name: _slim(each, [*path, name], apart, bodies) for name, each in mapping.items()}
    if isinstance(value, list | tuple):
        items = cast("list[Json]", value)
        return [_slim(each, [*path, at], apart, bodies) for at, each in enumerate(items)]
    return value


def _decoded(text: str, start: int) -> bytes | None:
    """The bytes that base64 stands for, if that is what it is and it would be written the same way again."""
    if (len(text) - start) % 4 or not text.isascii():
        return None
    try:
        return b"".join(_slices(text, start))
    except (Error, ValueError):
        return None


def _slices(text: str, start: int) -> Iterator[bytes]:
    for at in range(start, len(text), _SLICE):
        part = text[at : at + _SLICE].encode()
        data = a2b_base64(part, strict_mode=True)
        if b64encode(data) != part:
            raise ValueError("it would be written in another way")
        yield data
