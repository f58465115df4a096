"""What is known of the texts of a call before it is sent. Reads the disk: to be called in a thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from or_mcp.catalogue.tokens import count_tokens, most_tokens
from or_mcp.vectors.batching import split
from or_mcp.vectors.cache import VectorCache
from or_mcp.vectors.decoding import FLOAT_BYTES
from or_mcp.vectors.plan import EmbedPlan
from or_mcp.vectors.texts import Recipe, Text


@dataclass(frozen=True, slots=True)
class Known:
    """The vectors that were paid for before; of what is still to be paid, tokens as usual and at most, and requests."""

    vectors: Mapping[Text, bytes]
    missing_tokens: int
    missing_at_most: int
    requests: int
    problem: str | None = None

    @property
    def dimensions(self) -> int | None:
        """How long the model's vectors are, if one is known."""
        return next((len(vector) // FLOAT_BYTES for vector in self.vectors.values()), None)


def look_up(directory: Path | None, plan: EmbedPlan, recipe: Recipe) -> Known:
    """What the cache has of a plan's texts."""
    keys = {recipe.key(text): text for text in dict.fromkeys(plan.wanted)}
    with VectorCache(directory) as cache:
        found = _of_one_length(cache.read(list(keys)))
    vectors = {text: found[key] for key, text in keys.items() if key in found}
    missing = [text for text in keys.values() if text not in vectors]
    # New vectors may be longer than those that were kept: then all are asked for.
    perhaps = [*missing, *vectors] if missing else []
    at_most = sum(most_tokens(text.words) for text in perhaps)
    tokens = sum(count_tokens(text.words) for text in missing)
    # The first text may go alone, to tell the dimensions, and types go apart.
    requests = len(split([count_tokens(text.words) for text in perhaps])) + 2 if perhaps else 0
    return Known(vectors, tokens, at_most, requests, cache.problem)


def _of_one_length(found: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
    """Vectors that can be compared: a model's may have changed their length."""
    lengths = Counter(map(len, found.values()))
    if len(lengths) < 2:
        return found
    length, _ = lengths.most_common(1)[0]
    return {key: vector for key, vector in found.items() if len(vector) == length}
