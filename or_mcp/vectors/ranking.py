"""Texts by how close they are to a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from or_mcp.vectors.matrix import Matrix

DIGITS = 6


@dataclass(frozen=True, slots=True)
class Ranked:
    """A text's place in the input, and the cosine of its vector and the query's."""

    index: int
    score: float


def rank(texts: Matrix, query: Matrix, top_k: int) -> tuple[Ranked, ...]:
    """The closest texts, best first; of equals the first. Both matrices hold directions."""
    import numpy as np

    scores = np.clip(texts @ query[0], -1, 1)
    order = np.argsort(-scores, kind="stable")[:top_k]
    return tuple(Ranked(int(index), round(float(scores[index]), DIGITS)) for index in order)
