"""Texts by how close they are to a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from or_mcp.vectors.matrix import directions, stack

# float32 has seven.
DIGITS = 6
# So many are compared at a time: the vectors are in memory already, and need not be there twice.
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Ranked:
    """A text's place in the input, and the cosine of its vector and the query's."""

    index: int
    score: float


def rank(texts: Sequence[bytes], query: bytes, top_k: int) -> tuple[Ranked, ...]:
    """The closest texts, best first; of equals the first."""
    import numpy as np

    asked = directions(stack([query]))[0]
    blocks = (texts[begin : begin + _ROWS_AT_ONCE] for begin in range(0, len(texts), _ROWS_AT_ONCE))
    scores = np.clip(np.concatenate([directions(stack(block)) @ asked for block in blocks]), -1, 1)
    order = np.argsort(-scores, kind="stable")[:top_k]
    return tuple(Ranked(int(index), round(float(scores[index]), DIGITS)) for index in order)
