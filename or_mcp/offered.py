"""Which tools there are, by name and by word: known before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping

TOOL_NAMES = ("fuse", "ask", "embed", "rerank", "make", "decide", "list_models", "endpoints", "account", "run")
TOOL_WORDS: Mapping[str, tuple[str, ...]] = {
    "core": ("fuse", "ask", "list_models", "run"),
    "text": tuple(name for name in TOOL_NAMES if name not in ("make", "decide")),
    "all": TOOL_NAMES,
}
"""Words for several of them."""


def offered(value: str) -> tuple[str, ...]:
    """The tools that a list of names and words means, in their order.

    Raises:
        ValueError: One of them is neither.
    """
    words = [part.strip() for part in (value or "all").split(",") if part.strip()]
    chosen = {name for word in words for name in TOOL_WORDS.get(word, (word,))}
    if not chosen or not chosen <= set(TOOL_NAMES):
        raise ValueError
    return tuple(name for name in TOOL_NAMES if name in chosen)
