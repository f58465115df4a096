"""What ordering documents costs: by the search unit, or by the token of every pair of query and document."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from or_mcp.simulator.money.pricing import Bill, Tokens, bill
from or_mcp.simulator.wire import JsonObject

# Cohere's unit: a hundred documents, of which each counts once for every 500 tokens it has with the query.
_CHUNK_TOKENS, _CHUNKS_A_UNIT = 500, 100
# A query never takes more of a chunk than this when every chunk repeats it.
_LEAST_ROOM = 250
# What a reranker that is a language model says to itself around each pair.
_PAIR_TOKENS = 100


@dataclass(frozen=True, slots=True)
class RerankWork:
    """A query and documents, by their tokens; greedy when each chunk of a document repeats the query."""

    query: int
    documents: tuple[int, ...]
    greedy: bool = False

    @property
    def units(self) -> int:
        """The search units this is."""
        room = max(_CHUNK_TOKENS - self.query, _LEAST_ROOM)
        chunks = 0
        for tokens in self.documents:
            chunks += max(-(-tokens // room) if self.greedy else -(-(tokens + self.query) // _CHUNK_TOKENS), 1)
        return -(-chunks // _CHUNKS_A_UNIT)

    @property
    def tokens(self) -> Tokens:
        """Every pair's tokens."""
        return Tokens(sum(self.documents) + len(self.documents) * (self.query + _PAIR_TOKENS))

    def bill(self, pricing: JsonObject, unlisted: Mapping[str, Decimal]) -> Bill:
        """What it costs by these prices, listed and not listed."""
        listed = bill(pricing, self.tokens)
        per_token = self.tokens.prompt * unlisted.get("prompt", Decimal(0))
        request = max(Decimal(str(pricing.get("request") or 0)), Decimal(0)) * (self.units - 1)
        return Bill(listed.prompt + per_token + request + self.units * unlisted.get("unit", Decimal(0)))
