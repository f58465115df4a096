"""Did you mean: the names most like one that does not exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches

from or_mcp.catalogue.intents import gives
from or_mcp.catalogue.slugs import ROUTER_AUTHOR, Slug, author
from or_mcp.catalogue.words import version, words
from or_mcp.openrouter.wire.models import Model

# Words less alike than this are two words and no slip; and no name is longer than the second.
_FUZZY = 0.7
_LONGEST = 200
# What a guess is worth: the family above all, then its version, then the spelling as a whole.
_FAMILY, _VERSION, _SPELLING, _AUTHOR = 0.6, 0.3, 0.15, 0.15
# Whoever names a version that is gone is better served by a newer one.
_NEWER, _OLDER = 0.8, 0.4
# More than any spelling can make up for.
_ROUTER = 0.5


@dataclass(frozen=True, slots=True)
class _Name:
    spelling: str
    author: str
    family: frozenset[str]
    version: tuple[int, ...]

    @classmethod
    def read(cls, slug: str) -> _Name:
        model = Slug.read(slug.lower()).model
        own = model.rsplit("/", 1)[-1]
        parts = words(own)
        numbers = [number for part in parts if (number := version(part)) and len(number.split(".")[0]) <= 2]
        return cls(
            spelling=own,
            author=author(model) if "/" in model else "",
            family=frozenset(series for part in parts if (series := _series(part))),
            version=tuple(int(part) for part in numbers[0].split(".")) if numbers else (),
        )


def _series(part: str) -> str:
    """A word without its version: `o3` and `o4` are both of the series `o`, `2.5` and `v3` are of none."""
    return part if version(part) is None else part.rstrip("0123456789.").removeprefix("v")


def similar(word: str, options: Collection[str], n: int = 1, cutoff: float = 0.6) -> list[str]:
    """The options that a word was probably meant to be, best first; none for what is too long to be a slip."""
    return get_close_matches(word, options, n=n, cutoff=cutoff) if len(word) <= _LONGEST else []


def closest_names(
    models: Iterable[Model], slug: str, n: int = 3, output_modality: str | None = None
) -> tuple[str, ...]:
    """The names most like this one, best first; of a family, the nearest newer version before older ones."""
    asked = _Name.read(slug[:_LONGEST])
    offered = filter(gives(output_modality or "all"), models)
    ranked = sorted(offered, key=lambda model: (-_score(asked, model), -(model.created or 0), model.id))
    return tuple(model.id for model in ranked[:n])


def _score(asked: _Name, model: Model) -> float:
    known = _Name.read(model.id)
    score = _FAMILY * _family(asked.family, known.family) + _VERSION * _version(asked.version, known.version)
    score += _SPELLING * _ratio(asked.spelling, known.spelling)
    if asked.author:
        score += _AUTHOR * _ratio(asked.author, known.author)
    return round(score - _unasked(asked, model), 4)


def _family(asked: frozenset[str], known: frozenset[str]) -> float:
    if not asked or not known:
        return 0.0
    matched = sum(max(_like(word, other) for other in known) for word in asked)
    # Words that were not asked for count a third: a longer name is a little less likely.
    return matched / max(len(asked), (2 * len(asked) + len(known)) / 3)


def _like(left: str, right: str) -> float:
    if left == right:
        return 1.0
    ratio = _ratio(left, right)
    return ratio if ratio >= _FUZZY else 0.0


def _version(asked: tuple[int, ...], known: tuple[int, ...]) -> float:
    if asked == known:
        return 1.0
    if not asked or not known:
        # Only one of them has a version: neither for nor against.
        return 0.5
    distance = abs(_as_number(known) - _as_number(asked))
    # Seven whole versions away count as much as any number: an older one is still worth something.
    return (_NEWER if known > asked else _OLDER) - min(0.35, distance / 20)


def _as_number(parts: tuple[int, ...]) -> float:
    return sum(part / 100**place for place, part in enumerate(parts))


def _unasked(asked: _Name, model: Model) -> float:
    alias = model.id.startswith("~") and "latest" not in asked.family
    free = model.id.endswith(":free")
    # What chooses a model is no substitute for a model.
    router = author(model.id) == ROUTER_AUTHOR != asked.author
    # Only between models that are alike otherwise.
    return 0.05 * (alias + free) + _ROUTER * router


def _ratio(left: str, right: str) -> float:
    return SequenceMatcher(None, left, right, autojunk=False).ratio()
