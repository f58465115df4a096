"""Finding models: what a person means, ranked, filtered and cut into pages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Literal

from or_mcp.catalogue.closest import closest_names
from or_mcp.catalogue.cursor import Place, read_cursor, write_cursor
from or_mcp.catalogue.intents import (
    by_agentic,
    by_coding,
    by_context,
    by_intelligence,
    by_price,
    gives,
    supports,
    takes,
)
from or_mcp.catalogue.prices import per_million
from or_mcp.catalogue.rates import is_free
from or_mcp.catalogue.reading import Reading, readings
from or_mcp.catalogue.slugs import author
from or_mcp.catalogue.words import words_of
from or_mcp.openrouter.wire.models import Model

Sort = Literal["relevance", "newest", "price", "context", "intelligence", "coding", "agentic"]

MOST = 100
_DAY = 86_400


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
    def fingerprint(self) -> str:
        """What all pages of one query share."""
        return sha256(repr(replace(self, limit=0, cursor="")).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Found:
    """One page. `output_modality` is what was searched in the end; `closest` are names when nothing matched."""

    rows: tuple[Model, ...]
    total: int
    next_cursor: str | None
    closest: tuple[str, ...]
    output_modality: str


_SORTS: dict[Sort, Callable[[Model], float]] = {
    "newest": lambda model: -float(model.created or 0),
    "price": by_price,
    "context": by_context,
    "intelligence": by_intelligence,
    "coding": by_coding,
    "agentic": by_agentic,
}


def search(models: Sequence[Model], query: Query) -> Found:
    """One page of the models a query means.

    Raises:
        InvalidRequest: The cursor is not one of this query.
    """
    offered = [model for model in models if all(keep(model) for keep in _conditions(query))]
    if query.cursor:
        reading, after = read_cursor(query.cursor, query.fingerprint)
        return _page(_ranked(offered, query, reading), query, reading, after)
    for reading in readings(query.text, query.output_modality or "text", models):
        if ranked := _ranked(offered, query, reading):
            return _page(ranked, query, reading, None)
    return _nothing(models, query)


def _conditions(query: Query) -> Iterator[Callable[[Model], bool]]:
    """Every condition that was set. They always hold, whatever the text may mean."""
    if query.input_modality not in ("", "all"):
        yield takes(query.input_modality)
    yield from map(supports, query.supports)
    if query.author:
        yield lambda model: _is_by(model, query.author)
    if query.free:
        yield is_free
    if query.min_context is not None:
        least = query.min_context
        yield lambda model: (model.context_length or 0) >= least
    if query.max_input_price is not None:
        most_in = query.max_input_price
        yield lambda model: _at_most(model.pricing.prompt if model.pricing else None, most_in)
    if query.max_output_price is not None:
        most_out = query.max_output_price
        yield lambda model: _at_most(model.pricing.completion if model.pricing else None, most_out)


def _at_most(price: Decimal | None, limit: Decimal) -> bool:
    known = per_million(price)
    return known is not None and known <= limit


def _is_by(model: Model, wanted: str) -> bool:
    """Whether this maker is meant: by slug (`x-ai`), or as people spell it (`xAI`, `Meta`, `Mistral`)."""
    plain = "".join(filter(str.isalnum, wanted.lower()))
    name = "".join(filter(str.isalnum, model.name.split(":")[0].lower())) if ":" in model.name else ""
    slug = author(model.id).replace("-", "")
    return plain in (slug, name) or (len(plain) >= 4 and slug.startswith(plain) and slug != "openrouter")


def _ranked(offered: list[Model], query: Query, reading: Reading) -> list[tuple[Place, Model]]:
    placed = [(_place(model, query, reading), model) for model in offered if reading.matches(model)]
    return sorted(placed, key=lambda row: row[0])


def _place(model: Model, query: Query, reading: Reading) -> Place:
    """A row's sort key, made from the row and the query alone: other rows come and go between pages."""
    newest = -float((model.created or 0) // _DAY)
    tail = (newest, by_intelligence(model), float(len(words_of(model))))
    if query.sort == "relevance":
        *head, editions = reading.rank(model)
        return (*head, newest, editions, *tail[1:]), model.id
    return (_SORTS[query.sort](model), *tail), model.id


def _page(ranked: list[tuple[Place, Model]], query: Query, reading: Reading, after: Place | None) -> Found:
    rest = ranked if after is None else [row for row in ranked if row[0] > after]
    limit = min(max(query.limit, 1), MOST)
    rows = rest[:limit]
    more = write_cursor(query.fingerprint, reading, rows[-1][0]) if len(rest) > limit else None
    return Found(tuple(model for _, model in rows), len(ranked), more, (), reading.modality)


def _nothing(models: Sequence[Model], query: Query) -> Found:
    names: tuple[str, ...] = ()
    if query.text.strip():
        names = closest_names([model for model in models if gives(query.output_modality)(model)] or models, query.text)
    return Found((), 0, None, names, query.output_modality)
