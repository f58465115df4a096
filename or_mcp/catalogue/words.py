"""Names and phrases as words that can be compared: `GPT5-mini` and `gpt 5 mini` are the same three."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

from or_mcp.catalogue.slugs import author
from or_mcp.openrouter.wire.models import Model

# Sizes, editions and kinds: a person who wants one of these says so.
EDITIONS = frozenset({"mini", "nano", "lite", "flash", "fast", "small", "tiny", "micro", "guard", "beta"})
KINDS = frozenset({"image", "embedding", "embed", "tts", "vl", "audio", "transcribe", "search", "safeguard"})
# What tells nothing apart: a model with one of these is as plain as without.
_NEUTRAL = frozenset({"preview", "instruct", "it", "exp"})
_DATE = re.compile(r"\d{3,}|0\d")
_SYNONYMS = {"chatgpt": "gpt", "embeddings": "embedding", "coders": "coder", "reranker": "rerank"}
# One letter wrong in four. Comparing takes longer with the length, and no word of a model's name has the second.
_LIKE = 0.75
_LONGEST = 32

_DASHED_VERSION = re.compile(r"(?<!\d)(?<!\d[-.])(\d{1,2})-(\d{1,2})(?!\d|[a-z]|[-.]\d)")
_BOUNDARY = re.compile(r"(?<=[a-z]{2})(?=\d)|(?<=\d)(?=[a-z]{3})")
_PARTS = re.compile(r"[a-z0-9]+(?:\.\d+[a-z]*)*")
_VERSION = re.compile(r"[a-z]?(\d+(?:\.\d+)*)")


def words(text: str) -> tuple[str, ...]:
    """The words of a name or phrase."""
    dotted = _DASHED_VERSION.sub(r"\1.\2", text.lower().replace("+", " plus "))
    parts = (word for part in _PARTS.findall(dotted) for word in _BOUNDARY.split(part))
    return tuple(_SYNONYMS.get(word, word) for word in parts)


def version(word: str) -> str | None:
    """The number a word consists of, but for a letter before it: `4.1`, `v3.2`, `r1`."""
    match = _VERSION.fullmatch(word)
    return match[1] if match else None


@lru_cache(maxsize=4096)
def _words_of(slug: str, name: str) -> tuple[str, ...]:
    glued = re.sub(r"[^a-z0-9]", "", slug.split("/", 1)[0].lower())
    return tuple(dict.fromkeys((*words(slug), *words(name), glued)))


def words_of(model: Model) -> tuple[str, ...]:
    """Every word a model is known by."""
    return _words_of(model.id, model.name)


@lru_cache(maxsize=4096)
def own_words(slug: str) -> tuple[str, ...]:
    """The words of a model's own name, without its maker's."""
    own, makers = words(slug.partition("/")[2]), makers_words(slug)
    return tuple(word for word in own if word not in makers)


@lru_cache(maxsize=4096)
def makers_words(slug: str) -> frozenset[str]:
    """The words of its maker's name."""
    return frozenset(words(author(slug)))


def is_neutral(word: str) -> bool:
    """Whether a word in a name is only a date, or tells nothing apart."""
    return word in _NEUTRAL or _DATE.fullmatch(word) is not None


def likeness(asked: str, known: Iterable[str]) -> float:
    """How well a word is matched by the best of the known ones, from 0 to 1. Typos are not forgiven here."""
    return max((_match(asked, word) for word in known), default=0.0)


@lru_cache(maxsize=65536)
def _match(asked: str, known: str) -> float:
    if asked == known:
        return 1.0
    wanted, offered = version(asked), version(known)
    if wanted is not None and asked[0].isdigit():
        return _version_match(wanted, offered)
    # A beginning is worth more than a middle, which has to be longer not to be chance.
    if wanted is None and len(asked) >= 2 and known.startswith(asked):
        return 0.8
    if wanted is None and len(asked) >= 4 and asked in known:
        return 0.6
    return 0.0


def _version_match(wanted: str, offered: str | None) -> float:
    if offered is None:
        return 0.0
    # The same in another spelling, then a version of the same generation: both before any word that is only alike.
    if wanted == offered:
        return 0.95
    return 0.9 if offered.startswith(f"{wanted}.") else 0.0


def corrected(asked: str, vocabulary: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    if version(asked) is not None or not 3 <= len(asked) <= _LONGEST:
        return None
    # Anything shorter is alike to too much.
    candidates = [word for word in vocabulary if len(word) >= 3 and version(word) is None]
    found = get_close_matches(asked, candidates, n=1, cutoff=_LIKE)
    return found[0] if found else None
