"""`embed`: texts to vectors, or to what an agent wants them for."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Annotated

import anyio
import anyio.to_thread
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from or_mcp.attachments.lines import read_lines
from or_mcp.calls.arguments import Amount, Arguments, Question, Text
from or_mcp.calls.call import Call
from or_mcp.calls.choosing import choose
from or_mcp.calls.keepsake import Keepsake, Shown
from or_mcp.calls.paid import place
from or_mcp.calls.reply import Reply
from or_mcp.calls.tool import Tool
from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.prices import NOTHING, Estimate, estimate_embedding
from or_mcp.catalogue.tokens import count_tokens
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.tools.answers.embed import EmbedAnswer, found_as_json, show
from or_mcp.vectors.lookup import Known, look_up
from or_mcp.vectors.plan import EmbedPlan, Output, plan_embedding
from or_mcp.vectors.texts import Recipe, check_lengths
from or_mcp.vectors.work import Embedding, result_of

DESCRIPTION = """
Compare texts by meaning with an embedding model.

Rank them by a query, find similar pairs and near-duplicates, or get the vectors. Any number of texts; batched, cached,
the same text never paid twice.

Costs money, usually far below a cent per 1,000 texts. For the best order of up to some hundred texts use `rerank`.
Models: list_models(output_modality="embeddings").
"""

OUTPUT_MODALITY = "embeddings"
# What is kept of a request stays readable: more text than this is kept as its hash.
_KEPT_CHARS = 100_000
# Of the first text, where there is no query: enough to know the run by.
_SHOWN_CHARS = 1_000


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
    choice = await choose(call, (plan.model,), OUTPUT_MODALITY)
    snapshot = choice.snapshot
    await anyio.to_thread.run_sync(_check_lengths, plan, snapshot)
    recipe = Recipe(call.caller.id, snapshot.concrete(plan.model), plan.dimensions)
    known = await anyio.to_thread.run_sync(look_up, plan.data_dir, plan, recipe)
    plan.check_size(known.dimensions)
    estimate = _estimate(plan.model, known, snapshot)
    work = partial(Embedding, plan, recipe, known, estimate, call.upstream, call.parts.provider)
    embedding = await anyio.to_thread.run_sync(work)
    return await place(
        call,
        "embed",
        await anyio.to_thread.run_sync(_asked, arguments, plan),
        lambda _: embedding,
        models=(plan.model,),
        prompt=plan.question.words if plan.question else plan.rows[0].words[:_SHOWN_CHARS],
        shown=Shown(notes=choice.notes),
    )


async def _plan(arguments: EmbedArguments, call: Call) -> EmbedPlan:
    texts = arguments.input
    if arguments.input_file:
        if texts:
            raise InvalidRequest("input and input_file were both given; one of them holds the texts")
        texts = tuple(await read_lines(arguments.input_file, await call.sandbox()))
    plan = partial(
        plan_embedding,
        arguments.model,
        texts,
        output=arguments.output,
        query=arguments.query,
        input_type=arguments.input_type or None,
        dimensions=arguments.dimensions,
        top_k=arguments.top_k,
        data_dir=call.parts.data_dir,
    )
    return await anyio.to_thread.run_sync(plan)


def _asked(arguments: EmbedArguments, plan: EmbedPlan) -> EmbedAsked:
    digest = hashlib.sha256()
    for row in plan.rows:
        digest.update(b"%d:" % len(row.words) + row.words.encode(errors="surrogatepass"))
    short = sum(len(text) for text in arguments.input) <= _KEPT_CHARS
    given = arguments.model_dump() | {"texts": len(plan.rows), "sha256": digest.hexdigest()}
    return EmbedAsked.model_validate(given if short else given | {"input": ()})


def _check_lengths(plan: EmbedPlan, snapshot: Snapshot) -> None:
    model = snapshot.find(plan.model)
    if model is not None and model.context_length:
        check_lengths(plan.wanted, plan.model, model.context_length, count_tokens)


def _estimate(model: str, known: Known, snapshot: Snapshot) -> Estimate:
    if not known.missing_tokens:
        return NOTHING
    return estimate_embedding(snapshot, model, known.missing_tokens, known.missing_at_most, known.requests)


TOOL = Tool(
    name="embed",
    title="Embed: texts by meaning",
    kind="spend",
    description=DESCRIPTION,
    arguments=EmbedArguments,
    answer=EmbedAnswer,
    handle=embed,
    keepsake=Keepsake(read=result_of, show=show, words=found_as_json),
)
