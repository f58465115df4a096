"""How many texts go upstream in one request. Pure."""

from __future__ import annotations

from collections.abc import Sequence

# Upstream documents no limit; providers have theirs, and these fit all that are known.
MOST_TEXTS = 100
MOST_TOKENS = 8_000


def split(tokens: Sequence[int], most_texts: int = MOST_TEXTS, most_tokens: int = MOST_TOKENS) -> list[range]:
    """Consecutive batches of texts with these many tokens each. A text above the limit goes alone."""
    batches: list[range] = []
    begin = total = 0
    for place, size in enumerate(tokens):
        if place > begin and (place - begin == most_texts or total + size > most_tokens):
            batches.append(range(begin, place))
            begin, total = place, 0
        total += size
    if tokens:
        batches.append(range(begin, len(tokens)))
    return batches
