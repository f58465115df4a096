"""Documents as a rerank model has ordered them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from or_mcp.openrouter.errors import UpstreamFailed, shorten
from or_mcp.openrouter.wire.embeddings import RerankReply, RerankRequest
from or_mcp.vectors.ranking import DIGITS

# To know a document by; the caller has all of it.
SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True)
class Relevance:
    """A document's place in the request, how relevant it is, and its beginning."""

    index: int
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class RerankResult:
    """What is kept of a run."""

    documents: int = 0
    results: tuple[Relevance, ...] = ()
    model: str | None = None
    provider: str | None = None
    search_units: int | None = None
    total_tokens: int | None = None
    provider_cost_usd: Decimal | None = None


def read_relevance(reply: RerankReply, request: RerankRequest) -> tuple[Relevance, ...]:
    """The documents that came back, best first, with our own words for each.

    Raises:
        UpstreamFailed: Nothing came, a document is not one of ours, comes twice, or has no score.
    """
    found: dict[int, Relevance] = {}
    for row in reply.results:
        ours = 0 <= row.index < len(request.documents) and row.index not in found
        if not ours or row.relevance_score is None:
            raise _unusable(reply, f"it holds document {row.index}, which cannot be placed")
        text = shorten(request.documents[row.index], SHOWN_CHARS)
        found[row.index] = Relevance(row.index, round(row.relevance_score, DIGITS), text)
    if not found:
        raise _unusable(reply, "it holds no document")
    return tuple(sorted(found.values(), key=lambda row: -row.score)[: request.top_n])


def _unusable(reply: RerankReply, why: str) -> UpstreamFailed:
    return UpstreamFailed(f"OpenRouter's order is not usable: {why}", generation_id=reply.id, may_be_billed=True)
