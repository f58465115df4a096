"""What is known of the texts of a call before it is sent. Reads the disk: to be called in a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from or_mcp.vectors.cache import VectorCache
from or_mcp.vectors.decoding import FLOAT_BYTES
from or_mcp.vectors.plan import EmbedPlan
from or_mcp.vectors.texts import Recipe, Text


@dataclass(frozen=True, slots=True)
class Known:
    """The vectors that were paid for before, and about how many tokens are still to be."""

    vectors: Mapping[Text, bytes]
    missing_tokens: int
    problem: str | None = None

    @property
    def dimensions(self) -> int | None:
        """How long the model's vectors are, if one is known."""
        return next((len(vector) // FLOAT_BYTES for vector in self.vectors.values()), None)


def look_up(directory: Path | None, plan: EmbedPlan, recipe: Recipe, count_tokens: Callable[[str], int]) -> Known:
    """What the cache has of a plan's texts."""
    keys = {recipe.key(text): text for text in dict.fromkeys(plan.wanted)}
    with VectorCache(directory) as cache:
        found = cache.read(list(keys))
    vectors = {text: found[key] for key, text in keys.items() if key in found}
    tokens = sum(count_tokens(text.words) for text in keys.values() if text not in vectors)
    return Known(vectors, tokens, cache.problem)
