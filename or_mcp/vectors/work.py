"""Texts being embedded, and what is kept of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import anyio
import anyio.to_thread
from pydantic import TypeAdapter

from or_mcp.catalogue.prices import Estimate
from or_mcp.catalogue.tokens import count_tokens
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.wire.routing import Provider
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.record import Progress, RunRecord
from or_mcp.vectors.cache import VectorCache
from or_mcp.vectors.embedder import Batch, Embedder
from or_mcp.vectors.lookup import Known
from or_mcp.vectors.plan import EmbedPlan
from or_mcp.vectors.result import EmbedResult, read_off
from or_mcp.vectors.texts import Recipe

# With fewer texts no model there is can exceed the limit of numbers.
_NO_RISK = 4

_RESULT: TypeAdapter[EmbedResult] = TypeAdapter(EmbedResult)


def result_of(record: RunRecord) -> EmbedResult:
    """What a run holds."""
    return (
        _RESULT.validate_json(record.result)
        if record.result
        else EmbedResult("similarity", record.request.models[0], 0)
    )


class Embedding:
    """Texts being embedded."""

    limited = ""

    def __init__(
        self,
        plan: EmbedPlan,
        recipe: Recipe,
        known: Known,
        estimate: Estimate,
        upstream: OpenRouter,
        provider: Provider | None,
    ) -> None:
        self.estimate = estimate
        self._plan = plan
        self._cache = VectorCache(plan.data_dir)
        self._embedder = Embedder(
            upstream, plan.model, recipe, self._cache, provider=provider, found=known.vectors, count_tokens=count_tokens
        )
        self._weights = Counter(plan.rows)
        self._done = sum(count for text, count in self._weights.items() if text in known.vectors)
        self._result = EmbedResult(
            output=plan.output,
            model=plan.model,
            total=len(plan.rows),
            cached=self._done,
            distinct=len(self._weights),
            asked_dimensions=plan.dimensions,
            problem=known.problem,
        )

    def kept(self) -> Kept:
        """What has come of it, and what it cost."""
        spending = self._embedder.spending
        result = replace(
            self._result,
            model=spending.model or self._plan.model,
            done=self._done,
            tokens=spending.tokens,
            provider_cost_usd=spending.provider_cost_usd,
            dimensions=self._embedder.dimensions,
            problem=self._result.problem or self._cache.problem,
        )
        return Kept(_RESULT.dump_json(result).decode(), spending.cost_usd, spending.generation_id, in_parts=True)

    def progress(self) -> Progress:
        """How many texts have their vectors."""
        total = self._result.total
        comparing = ", comparing them" if self._done == total and self._plan.output in ("ranking", "similarity") else ""
        return Progress(self._done, total, f"{self._done:,}/{total:,} embedded{comparing}")

    async def carry_out(self, run: LiveRun) -> None:
        """Embed what is not known yet, then read off what was asked for."""
        try:
            await self._embed(run)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._cache.close)
        self._plan.check_size(self._embedder.dimensions)
        found = await anyio.to_thread.run_sync(
            read_off, self._plan, self._embedder.found, run.record.run_id, abandon_on_cancel=True
        )
        self._result = replace(
            self._result,
            ranking=found.ranking,
            texts=found.texts,
            likenesses=found.likenesses,
            vectors=found.vectors,
            file=found.file,
        )

    async def _embed(self, run: LiveRun) -> None:
        async def told(batch: Batch) -> None:
            self._done = min(self._result.total, self._done + sum(self._weights[text] for text in batch))
            run.grew()

        wanted = self._plan.wanted
        unknown = self._plan.dimensions is None and self._embedder.dimensions is None
        if self._plan.output == "vectors" and unknown and len(wanted) > _NO_RISK:
            # One text tells the dimensions: the others are not paid for if their numbers would be refused.
            await self._embedder.embed(wanted[:1], told)
            self._plan.check_size(self._embedder.dimensions)
        await self._embedder.embed(wanted, told)
        await run.told("embedded", self._plan.model, f"{self._result.total} texts")
