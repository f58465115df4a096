"""Documents being ordered, and what is kept of it."""

from __future__ import annotations

from decimal import Decimal

from pydantic import TypeAdapter

from or_mcp.catalogue.prices import Estimate
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.wire.embeddings import RerankRequest
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.record import Progress, RunRecord
from or_mcp.vectors.relevance import RerankResult, read_relevance

_RESULT: TypeAdapter[RerankResult] = TypeAdapter(RerankResult)


def result_of(record: RunRecord) -> RerankResult:
    """What a run holds."""
    return _RESULT.validate_json(record.result) if record.result else RerankResult()


class Reranking:
    """Documents being ordered."""

    limited = ""

    def __init__(self, request: RerankRequest, estimate: Estimate, upstream: OpenRouter) -> None:
        self.estimate = estimate
        self._request = request
        self._upstream = upstream
        self._result = RerankResult(len(request.documents))
        self._cost: Decimal | None = None
        self._generation_id: str | None = None

    def kept(self) -> Kept:
        """The order, once it is here."""
        return Kept(_RESULT.dump_json(self._result).decode(), self._cost, self._generation_id)

    def progress(self) -> Progress:
        """Whether the answer is here."""
        count = len(self._request.documents)
        return Progress(len(self._result.results) and 1, 1, f"{self._request.model} ordering {count:,} documents")

    async def carry_out(self, run: LiveRun) -> None:
        """Send it, and check what came."""
        reply = await self._upstream.rerank(self._request)
        usage = reply.usage
        self._cost, self._generation_id = usage.cost if usage else None, reply.id
        self._result = RerankResult(
            documents=len(self._request.documents),
            results=read_relevance(reply, self._request),
            model=reply.model,
            provider=reply.provider,
            search_units=usage.search_units if usage else None,
            total_tokens=usage.total_tokens if usage else None,
            provider_cost_usd=usage.provider_cost if usage else None,
        )
        await run.told("ordered", self._request.model)
