"""What changed in a file, without showing what stands beside it: that may be somebody's key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_SECRET = re.compile(r"sk-or-[\w-]+")


def difference(before: str, after: str) -> Iterator[str]:
    """The changed stretches, each with its line, and nothing of the lines around them."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    head = _same(old, new)
    tail = _same(old[head:][::-1], new[head:][::-1])
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        removed, added = _trimmed("".join(old[i1:i2]), "".join(new[j1:j2]))
        if tag == "equal" or not (removed.strip(" ,\r\n") or added.strip(" ,\r\n")):
            continue
        yield f"@@ line {head + j1 + 1} @@"
        yield from (f"- {line}" for line in _lines(removed))
        yield from (f"+ {line}" for line in _lines(added))


def _trimmed(old: str, new: str) -> tuple[str, str]:
    head = _same(old, new)
    tail = _same(old[head:][::-1], new[head:][::-1])
    return old[head : len(old) - tail], new[head : len(new) - tail]


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """How far two texts, or lists of lines, begin alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))


def without_keys(text: str) -> str:
    """A text that may be shown: a key of ours in it is not."""
    return _SECRET.sub("sk-or-…", text)


def _lines(text: str) -> Iterator[str]:
    for line in without_keys(text).splitlines():
        if line.strip(" ,"):
            yield line
