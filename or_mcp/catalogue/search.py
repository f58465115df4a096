"""Finding models: what a person means, ranked, filtered and cut into pages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Literal

from or_mcp.catalogue.closest import closest_names
from or_mcp.catalogue.conditions import Condition, input_is, made_by, output_is, priced_at_most, supporting
from or_mcp.catalogue.cursor import Place, place, read_cursor, write_cursor
from or_mcp.catalogue.intents import by_agentic, by_coding, by_context, by_intelligence, by_price, gives
from or_mcp.catalogue.reading import Reading, phrase_of, readings
from or_mcp.catalogue.words import words_of
from or_mcp.openrouter.wire.models import Model

Sort = Literal["relevance", "newest", "price", "context", "intelligence", "coding", "agentic"]

# A page of rows that still fits into one answer.
MOST = 100
_DAY = 86_400
# What a maker brings out within a season belongs together.
_GENERATION = 90 * _DAY


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. Prices are USD per million tokens; empty and None set no condition."""

    text: str = ""
    output_modality: str = "text"
    input_modality: str = ""
    supports: tuple[str, ...] = ()
    author: str = ""
    max_input_price: Decimal | None = None
    max_output_price: Decimal | None = None
    min_context: int | None = None
    free: bool = False
    sort: Sort = "relevance"
    limit: int = 20
    cursor: str = ""

    @property
    def fingerprint(self) -> bytes:
        """What all pages of one query share."""
        return sha256(repr(replace(self, limit=0, cursor="")).encode()).digest()[:4]


@dataclass(frozen=True, slots=True)
class Found:
    """One page. `output_modality` is what was searched in the end.

    When nothing matched, `closest` are names, and `blamed` says which conditions let nothing through.
    """

    rows: tuple[Model, ...]
    total: int
    next_cursor: str | None
    closest: tuple[str, ...]
    output_modality: str
    blamed: tuple[str, ...] = ()


_SORTS: dict[Sort, Callable[[Model], float]] = {
    "newest": lambda model: -float((model.created or 0) // _DAY),
    "price": by_price,
    "context": by_context,
    "intelligence": by_intelligence,
    "coding": by_coding,
    "agentic": by_agentic,
}


def search(models: Sequence[Model], query: Query, *rules: Condition) -> Found:
    """One page of the models a query means. `rules` are conditions that the caller did not set.

    Raises:
        InvalidRequest: The cursor is not one of this query.
    """
    conditions = [*rules, *_conditions(query)]
    if query.cursor:
        reading, after = read_cursor(query.cursor, query.fingerprint, phrase_of(query.text))
        return _page(_ranked(_kept(models, conditions), query, reading), query, reading, after)
    found = _matches(models, query, conditions)
    return _page(found[1], query, found[0], None) if found else _nothing(models, query, conditions)


def _conditions(query: Query) -> Iterator[Condition]:
    """Every condition that was set. They always hold, whatever the text may mean."""
    if query.input_modality not in ("", "all"):
        yield input_is(query.input_modality)
    yield from map(supporting, query.supports)
    if query.author:
        yield made_by(query.author)
    yield from priced_at_most(query.max_input_price, query.max_output_price, query.min_context, free=query.free)


def _kept(models: Sequence[Model], conditions: Sequence[Condition]) -> list[Model]:
    return [model for model in models if all(each.keep(model) for each in conditions)]


def _matches(
    models: Sequence[Model], query: Query, conditions: Sequence[Condition]
) -> tuple[Reading, list[tuple[Place, Model]]] | None:
    """The first reading under which something is left, and what that is. All models say what words mean."""
    kept = _kept(models, conditions)
    for reading in readings(query.text, query.output_modality, models):
        if ranked := _ranked(kept, query, reading):
            return reading, ranked
    return None


def _ranked(offered: list[Model], query: Query, reading: Reading) -> list[tuple[Place, Model]]:
    placed = [(_place(model, query, reading), model) for model in offered if reading.matches(model)]
    return sorted(placed, key=lambda row: row[0])


def _place(model: Model, query: Query, reading: Reading) -> Place:
    """A row's sort key, made from the row and the query alone: other rows come and go between pages."""
    newest = -float((model.created or 0) // _DAY)
    tail = (newest, by_intelligence(model), float(len(words_of(model))))
    if query.sort == "relevance":
        *head, variants, editions = reading.rank(model)
        # What came out together is one generation: of that the plain model is meant, and not its latest variant.
        generation = -float((model.created or 0) // _GENERATION)
        return place((*head, generation, variants, newest, editions, *tail[1:]), model.id)
    hour = (-float((model.created or 0) % _DAY),) if query.sort == "newest" else ()
    return place((_SORTS[query.sort](model), *hour, *tail), model.id)


def _page(ranked: list[tuple[Place, Model]], query: Query, reading: Reading, after: Place | None) -> Found:
    rest = ranked if after is None else [row for row in ranked if row[0] > after]
    limit = min(max(query.limit, 1), MOST)
    rows = rest[:limit]
    more = write_cursor(query.fingerprint, reading, rows[-1][0]) if len(rest) > limit else None
    return Found(tuple(model for _, model in rows), len(ranked), more, (), reading.modality)


def _nothing(models: Sequence[Model], query: Query, conditions: Sequence[Condition]) -> Found:
    names: tuple[str, ...] = ()
    if query.text.strip():
        allowed = _kept(models, [each for each in conditions if each.is_rule])
        names = closest_names(
            [model for model in allowed if gives(query.output_modality)(model)] or allowed, query.text
        )
    return Found((), 0, None, names, query.output_modality, tuple(_blamed(models, query, conditions)))


def _blamed(models: Sequence[Model], query: Query, conditions: Sequence[Condition]) -> Iterator[str]:
    """Which conditions let nothing through: those nothing has, else those without which something is left."""
    wanted = [*conditions, *([output_is(query.output_modality)] if query.output_modality != "all" else [])]
    unknown = [words for each in wanted if (words := each.unknown(models))]
    if unknown:
        yield from unknown
        return
    blamed = [words for each in wanted if (words := _without(each, models, query, conditions))]
    if not blamed and len(conditions) > 1:
        kept = [f"{each.words} {len(_kept(models, [each]))}" for each in conditions]
        blamed = [f"Of {len(models)} models each condition alone keeps: {', '.join(kept)}"]
    yield from blamed


def _without(blamed: Condition, models: Sequence[Model], query: Query, conditions: Sequence[Condition]) -> str:
    """How many would match without this condition, if any."""
    if blamed not in conditions:
        query = replace(query, output_modality="all")
    found = _matches(models, query, [each for each in conditions if each is not blamed])
    return f"Without {blamed.words}, {len(found[1])} would match" if found else ""
