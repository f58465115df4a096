"""What ordering documents will cost: by the token where a row says so, else by units that no row prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from or_mcp.catalogue.costs import Load, Unpriced, cost, cost_at_most, priced_model
from or_mcp.catalogue.prices import NOTHING, Estimate
from or_mcp.catalogue.rates import is_free, rates, rates_at_most
from or_mcp.catalogue.snapshot import Snapshot

# Upstream lists its rerankers at nothing and bills them by the unit: what bills said in September 2026.
_UNITS_USD: Final[Mapping[str, Decimal]] = {
    "cohere/rerank-v3.5": Decimal("0.001"),
    "cohere/rerank-4-fast": Decimal("0.002"),
    "cohere/rerank-4-pro": Decimal("0.0025"),
}
# A unit is a query with 100 documents, and a document that is long beside its query counts once for every 500 tokens.
_DOCUMENTS, _CHUNK_TOKENS = 100, 500
# A query that leaves less room than this in a chunk is cut.
_LEAST_ROOM = 100
# What a model priced by the token reads around each query and document, as bills show.
_PAIR_TOKENS = 100


@dataclass(frozen=True, slots=True)
class Pairs:
    """A query and its documents, in tokens."""

    query: int
    documents: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """What a model reads that takes each document with its query."""
        return len(self.documents) * (self.query + _PAIR_TOKENS) + sum(self.documents)

    @property
    def units(self) -> int:
        """What is charged for."""
        room = max(_CHUNK_TOKENS - self.query, _LEAST_ROOM)
        chunks = sum(max(1, -(-tokens // room)) for tokens in self.documents)
        return max(1, -(-chunks // _DOCUMENTS))


def estimate_rerank(
    snapshot: Snapshot, slug: str, usual: Pairs, at_most: Pairs, unit_usd: Decimal | None = None
) -> Estimate:
    """The cost of ordering these documents. `unit_usd` is what a unit of this model has cost here before.

    A price that is listed counts before it, and it counts before what is known of others' bills.
    """
    now = datetime.now(UTC)
    try:
        model = priced_model(snapshot, slug)
    except Unpriced as reason:
        return Estimate.of_nobody(str(reason))
    if is_free(model):
        return NOTHING
    listed = rates(model.pricing, usual.tokens, now)
    if listed.request:
        dearest = rates_at_most(model.pricing, at_most.tokens, now).request or listed.request
        return Estimate(listed.request, listed.request * usual.units, dearest * at_most.units)
    if listed.prompt:
        price = cost(model, slug, Load(usual.tokens, 0), now)
        return Estimate(price, price, cost_at_most(model, slug, Load(at_most.tokens, 0), now))
    return _by_the_unit(model.id, usual, at_most, unit_usd)


def _by_the_unit(name: str, usual: Pairs, at_most: Pairs, seen: Decimal | None) -> Estimate:
    price = seen if seen is not None else _UNITS_USD.get(name)
    if price is None:
        return Estimate.of_nobody(f"{name}: it is listed at nothing and bills all the same; its price is not known")
    source = "what it cost here before" if seen is not None else "others' bills of September 2026"
    note = f"{name} lists no price; estimated from {source}, at ${price.normalize():f} a unit."
    return Estimate(price, price * usual.units, price * at_most.units, notes=(note,))
