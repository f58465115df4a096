"""What a phrase may mean: words of a name, intents and an output modality, in several readings, strictest first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from or_mcp.catalogue.intents import BY_NAME, BY_PHRASE, INTENT_WORDS, LONGEST_PHRASE, Intent, gives
from or_mcp.catalogue.words import (
    EDITIONS,
    KINDS,
    corrected,
    is_neutral,
    likeness,
    makers_words,
    own_words,
    version,
    words,
    words_of,
)
from or_mcp.openrouter.wire.models import Model

_FILLERS = frozenset(
    words(
        "a ai an and any at by can do does find for from give good great i in is it language llm llms me model models "
        "most my need of on one or please s show that the their this to use want what which who with"
    )
)
# Weights beside a likeness of 0 to 1, found by the phrases in the tests: a small edition nobody asked for, another
# class of model, a word of the model's own name, and one of its maker's.
_EDITION_PENALTY = 0.1
_CLASS_PENALTY = 0.25
_NAMED_BONUS, _HOUSE_BONUS = 0.2, 0.05
# What a version in another spelling counts (`words`): anything below is only like it.
_SAME = 0.95
# A phrase is compared word by word with every model, and a typo with every word there is: both take their time.
_MOST_WORDS = 24
_MOST_TYPOS = 6


@dataclass(frozen=True, slots=True)
class Reading:
    """One meaning of a phrase. It alone decides which models match, and how well, so pages can be continued."""

    phrase: str
    terms: tuple[str, ...]
    intents: tuple[str, ...]
    modality: str
    filtered: bool = True

    def matches(self, model: Model) -> bool:
        """Whether a model is meant."""
        if not gives(self.modality)(model):
            return False
        if self.is_exact(model):
            return True
        return self._kept(model) and all(likeness(term, words_of(model)) for term in self.terms)

    def is_exact(self, model: Model) -> bool:
        """Whether the phrase is this model's very name."""
        if self.phrase == model.id.lower():
            return True
        return ":" not in model.id and self.phrase == (model.canonical_slug or "").lower()

    def rank(self, model: Model) -> tuple[float, ...]:
        """Where a model stands among those that match: lower is better."""
        ranks = [intent.rank(model) for intent in self._wanted() if intent.rank]
        known = words_of(model)
        score = sum(likeness(term, known) for term in self.terms) / (len(self.terms) or 1)
        editions = self._unasked_editions(known)
        plain = self.phrase and not any(intent.any_edition for intent in self._wanted())
        penalty = _EDITION_PENALTY * editions if plain else 0.0
        behind = penalty + _CLASS_PENALTY * self._class(model)
        own = own_words(model.id)
        named = len(self._literal.intersection(own)) if self.terms else 0
        score += _HOUSE_BONUS * (not makers_words(model.id).isdisjoint(self.terms))
        unasked = [word for word in own if likeness(word, self._said) < _SAME] if self.terms else []
        called = 0.0 if self.is_exact(model) else 1.0 if ranks else self._called(unasked)
        variants = sum(0.1 if is_neutral(word) else 1.0 for word in unasked if is_neutral(word) or not version(word))
        behind -= _NAMED_BONUS * named
        return (called, round(behind - score, 3), *ranks, self._pinned(own) * variants, variants, editions)

    def _called(self, unasked: Sequence[str]) -> float:
        """Whether a name holds nothing but what was said: the plain model, then the plain model of some day."""
        if not self.terms:
            return 1.0
        return 0.0 if not unasked else 0.5 if all(map(is_neutral, unasked)) else 1.0

    def _pinned(self, own: Sequence[str]) -> bool:
        """Of a version that was named the plain model comes first, however new its variants are."""
        return any(any(map(str.isdigit, term)) and likeness(term, own) >= _SAME for term in self.terms)

    @property
    def _said(self) -> tuple[str, ...]:
        return (*self.terms, *self._literal)

    @property
    def _literal(self) -> frozenset[str]:
        """What was said of an intent, word by word: some models bear it in their names."""
        return _intents_in(self.phrase)

    def _class(self, model: Model) -> float:
        """Concrete paid models come before free variants, routers and moving names, unless those were asked for."""
        if model.id.startswith("~"):
            return -1.0 if "latest" in self.intents else 2.0
        free = model.id.endswith(":free") and "free" not in self.intents
        router = model.id.startswith("openrouter/")
        return float(free + router)

    def _unasked_editions(self, known: Collection[str]) -> float:
        asked_for = EDITIONS | KINDS if self.modality == "text" else EDITIONS
        return float(len(asked_for.intersection(known).difference(self._said)))

    def _kept(self, model: Model) -> bool:
        return not self.filtered or all(keep(model) for intent in self._wanted() if (keep := self._filter(intent)))

    def _filter(self, intent: Intent) -> Callable[[Model], bool] | None:
        return intent.instead if intent.instead and self.modality != intent.modality else intent.keep

    def _wanted(self) -> list[Intent]:
        return [intent for name, intent in BY_NAME.items() if name in self.intents]


@lru_cache(maxsize=128)
def _intents_in(phrase: str) -> frozenset[str]:
    return INTENT_WORDS.intersection(words(phrase))


def phrase_of(text: str) -> str:
    """A phrase without what makes no difference."""
    return " ".join(text.lower().split())


def readings(text: str, modality: str, models: Collection[Model]) -> Iterator[Reading]:
    """The meanings to try in turn; none at all when no word of the text means anything."""
    asked = _understood(words(text)[:_MOST_WORDS], models)
    terms, intents = _split(asked)
    if text.strip() and not terms and not intents:
        return
    plain = Reading(phrase_of(text), terms, tuple(intent.name for intent in intents), modality)
    for reading in _by_modality(plain, intents):
        yield from _relaxations(reading)


def _understood(asked: Iterable[str], models: Collection[Model]) -> list[str]:
    """The words that mean something, typos corrected."""
    vocabulary = {word for model in models for word in words_of(model)}
    found: list[str] = []
    typos = _MOST_TYPOS
    for word in asked:
        if word in INTENT_WORDS or likeness(word, vocabulary) or version(word) is not None:
            found.append(word)
        elif word not in _FILLERS and typos:
            # Comparing with every word there is takes a while.
            typos -= 1
            found += filter(None, [corrected(word, vocabulary | INTENT_WORDS)])
    return found


def _split(asked: list[str]) -> tuple[tuple[str, ...], list[Intent]]:
    """Words of a name, and intents."""
    terms: list[str] = []
    intents: list[Intent] = []
    rest = asked
    while rest:
        length = next((n for n in range(LONGEST_PHRASE, 0, -1) if tuple(rest[:n]) in BY_PHRASE), 0)
        if length:
            intents.append(BY_PHRASE[tuple(rest[:length])])
        elif rest[0] not in _FILLERS:
            terms.append(rest[0])
        rest = rest[length or 1 :]
    return tuple(dict.fromkeys(terms)), intents


def _by_modality(plain: Reading, intents: list[Intent]) -> Iterator[Reading]:
    """What the words say should come out; then what was asked for; then anything at all."""
    if plain.modality not in ("text", "all"):
        yield plain
        return
    meant = next((intent for intent in intents if intent.modality), None)
    if meant is not None:
        yield replace(plain, modality=meant.modality)
    if meant is None or meant.instead is not None:
        yield plain
    if plain.modality != "all" and (plain.terms or meant is not None):
        yield replace(plain, modality="all")


def _relaxations(reading: Reading) -> Iterator[Reading]:
    """As said; then without versions that do not exist; then without filters nothing passes."""
    named = tuple(term for term in reading.terms if version(term) is None)
    yield reading
    if named and named != reading.terms:
        yield replace(reading, terms=named)
    if reading.intents and reading.terms:
        yield replace(reading, filtered=False)
        if named and named != reading.terms:
            yield replace(reading, terms=named, filtered=False)
