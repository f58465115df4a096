"""`embed`: texts to vectors, or to what an agent wants them for."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from typing import Annotated

import anyio
import anyio.to_thread
from pydantic import Field, TypeAdapter
from pydantic.json_schema import SkipJsonSchema

from or_mcp.attachments.lines import read_lines
from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.prices import NOTHING, UNREAD, Estimate, estimate_embedding
from or_mcp.catalogue.tokens import count_tokens
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.openrouter.wire.routing import Provider
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.record import Progress, RunRecord
from or_mcp.tools.arguments import Amount, Arguments, Question, Text
from or_mcp.tools.call import Call, decimal_or_none
from or_mcp.tools.choosing import check_models
from or_mcp.tools.embed_answer import EmbedAnswer, found_as_json, show
from or_mcp.tools.keepsake import Keepsake, Shown
from or_mcp.tools.paid import Offer, Order, place
from or_mcp.tools.reply import Reply
from or_mcp.tools.tool import Tool
from or_mcp.vectors.cache import VectorCache
from or_mcp.vectors.embedder import Batch, Embedder
from or_mcp.vectors.lookup import Known, look_up
from or_mcp.vectors.plan import EmbedPlan, Output, plan_embedding
from or_mcp.vectors.result import EmbedResult, read_off
from or_mcp.vectors.texts import Recipe, check_lengths

DESCRIPTION = """
Compare texts by meaning with an embedding model: rank them by a query, find similar pairs and near-duplicates, or get
the vectors. Any number of texts; batched, cached, the same text never paid twice.

Costs money, usually far below a cent per 1,000 texts. For the best order of up to some hundred texts use `rerank`.
Models: list_models(output_modality="embeddings").
"""

OUTPUT_MODALITY = "embeddings"
# What is kept of a request stays readable: more text than this is kept as its hash.
_KEPT_CHARS = 100_000
# With fewer texts no model there is can exceed the limit of numbers.
_NO_RISK = 4


class EmbedArguments(Arguments):
    """What `embed` takes."""

    model: str = Field(min_length=1)
    output: Output | SkipJsonSchema[None] = Field(
        None, description="Default: ranking with query, else similarity. file: .npy + .jsonl."
    )
    top_k: int = Field(10, ge=1, le=100, description="Default 10.")
    dimensions: Annotated[int, Field(ge=1)] | SkipJsonSchema[None] = None
    max_cost_usd: Amount | SkipJsonSchema[None] = None
    input_type: str = Field("", description="e.g. search_document")
    query: Question = ""
    input_file: str = Field("", description="Path: a text per line, or JSONL with `text`.")
    input: tuple[Text, ...] = ()


class EmbedAsked(EmbedArguments):
    """The arguments as they are kept: the same question only with the same texts, in whichever file they are."""

    texts: int
    sha256: str


async def embed(arguments: EmbedArguments, call: Call) -> Reply:
    """Plan, look up what is paid for already, check, carry out, show."""
    call.require_key()
    plan = await _plan(arguments, call)
    snapshot = await check_models(call, (plan.model,), OUTPUT_MODALITY)
    await anyio.to_thread.run_sync(_check_lengths, plan, snapshot)
    recipe = Recipe(call.caller.id, _concrete(plan.model, snapshot), plan.dimensions)
    known = await anyio.to_thread.run_sync(look_up, plan.data_dir, plan, recipe)
    plan.check_size(known.dimensions)
    order = Order(
        tool="embed",
        arguments=await anyio.to_thread.run_sync(_asked, arguments, plan),
        models=(plan.model,),
        prompt=plan.question.words if plan.question else plan.rows[0].words[:1000],
        offer=lambda _: Offer(
            _estimate(plan.model, known, snapshot),
            lambda: Embedding(plan, recipe, known, call.upstream, call.parts.provider),
        ),
        ceiling_usd=decimal_or_none(arguments.max_cost_usd),
    )
    return await place(call, order, KEEPSAKE, Shown())


async def _plan(arguments: EmbedArguments, call: Call) -> EmbedPlan:
    texts = arguments.input
    if arguments.input_file:
        if texts:
            raise InvalidRequest("input and input_file were both given; one of them holds the texts")
        texts = tuple(await read_lines(arguments.input_file, await call.sandbox()))
    return plan_embedding(
        arguments.model,
        texts,
        output=arguments.output,
        query=arguments.query,
        input_type=arguments.input_type or None,
        dimensions=arguments.dimensions,
        top_k=arguments.top_k,
        data_dir=call.parts.data_dir,
    )


def _asked(arguments: EmbedArguments, plan: EmbedPlan) -> EmbedAsked:
    digest = hashlib.sha256()
    for row in plan.rows:
        digest.update(b"%d:" % len(row.words) + row.words.encode(errors="surrogatepass"))
    short = sum(len(text) for text in arguments.input) <= _KEPT_CHARS
    given = arguments.model_dump() | {"texts": len(plan.rows), "sha256": digest.hexdigest()}
    return EmbedAsked.model_validate(given if short else given | {"input": ()})


def _check_lengths(plan: EmbedPlan, snapshot: Snapshot | None) -> None:
    model = snapshot.find(plan.model) if snapshot else None
    if model is not None and model.context_length:
        check_lengths(plan.wanted, plan.model, model.context_length, count_tokens)


def _concrete(slug: str, snapshot: Snapshot | None) -> str:
    """The model behind a moving name: its vectors are not those of the one before."""
    model = snapshot.find(slug) if snapshot else None
    return snapshot.target(model).id if snapshot and model else slug.lower()


def _estimate(model: str, known: Known, snapshot: Snapshot | None) -> Estimate:
    if not known.missing_tokens:
        return NOTHING
    if snapshot is None:
        return UNREAD
    return estimate_embedding(snapshot, model, known.missing_tokens, known.missing_at_most, known.requests)


class Embedding:
    """Texts being embedded."""

    def __init__(
        self, plan: EmbedPlan, recipe: Recipe, known: Known, upstream: OpenRouter, provider: Provider | None
    ) -> None:
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
        return Kept(_RESULT.dump_json(result).decode(), spending.cost_usd, spending.generation_id)

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


_RESULT: TypeAdapter[EmbedResult] = TypeAdapter(EmbedResult)


def _result(record: RunRecord) -> EmbedResult:
    return _RESULT.validate_json(record.result) if record.result else EmbedResult("similarity", record.models[0], 0)


def _show(record: RunRecord, shown: Shown) -> Reply:
    return show(record, _result(record), shown)


def _whole(record: RunRecord) -> str:
    return found_as_json(_result(record))


KEEPSAKE = Keepsake(show=_show, result=_whole, provider_cost=lambda record: _result(record).provider_cost_usd)

TOOL = Tool(
    name="embed",
    title="Embed: texts by meaning",
    kind="spend",
    description=DESCRIPTION,
    arguments=EmbedArguments,
    answer=EmbedAnswer,
    handle=embed,
    keepsake=KEEPSAKE,
)
