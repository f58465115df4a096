"""`rerank`: documents ordered by relevance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Annotated

import anyio.to_thread
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from or_mcp.calls.arguments import Amount, Arguments, Question, Text
from or_mcp.calls.call import Call
from or_mcp.calls.choosing import choose
from or_mcp.calls.keepsake import Keepsake, Shown
from or_mcp.calls.paid import place
from or_mcp.calls.reply import Reply
from or_mcp.calls.tool import Tool
from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.reranking import Pairs, estimate_rerank
from or_mcp.catalogue.tokens import count_tokens, most_tokens
from or_mcp.openrouter.wire.embeddings import RerankRequest
from or_mcp.runs import queries
from or_mcp.runs.record import RunRecord
from or_mcp.tools.answers.rerank import RerankAnswer, show
from or_mcp.vectors.relevance import RerankResult
from or_mcp.vectors.reranking import Reranking, result_of
from or_mcp.vectors.texts import check_texts

DESCRIPTION = """
Order documents by relevance to a query with a rerank model.

It reads both together: better than `embed`, but every call pays for all documents. For thousands, narrow down with
embed first.

Costs money, about $0.002 per 100 documents. Models: list_models(output_modality="rerank").
"""

OUTPUT_MODALITY = "rerank"


class RerankArguments(Arguments):
    """What `rerank` takes."""

    model: str = Field(min_length=1)
    top_n: Annotated[int, Field(ge=1)] | SkipJsonSchema[None] = None
    max_cost_usd: Amount | SkipJsonSchema[None] = None
    query: Question = Field(min_length=1)
    documents: tuple[Text, ...] = Field(min_length=1)


async def rerank(arguments: RerankArguments, call: Call) -> Reply:
    """Check, carry out, show."""
    call.require_key()
    check_texts("query", [arguments.query])
    check_texts("documents", arguments.documents)
    choice = await choose(call, (arguments.model,), OUTPUT_MODALITY)
    wanted = RerankRequest(
        model=arguments.model,
        query=arguments.query,
        documents=arguments.documents,
        top_n=min(arguments.top_n, len(arguments.documents)) if arguments.top_n else None,
        provider=call.parts.provider,
    )
    usual, at_most = await anyio.to_thread.run_sync(
        lambda: [_pairs(arguments, count_tokens), _pairs(arguments, most_tokens)]
    )
    paid = partial(queries.paid_reranks, payer=call.caller.payer, model=arguments.model)
    before = await call.parts.runner.store.read(paid)
    estimate = estimate_rerank(choice.snapshot, arguments.model, usual, at_most, _unit_price(before))
    return await place(
        call,
        "rerank",
        arguments,
        lambda _: Reranking(wanted, estimate, call.upstream),
        models=(arguments.model,),
        prompt=arguments.query,
        shown=Shown(notes=(*choice.notes, *_too_long(arguments, choice.snapshot))),
    )


def _pairs(arguments: RerankArguments, count: Callable[[str], int]) -> Pairs:
    return Pairs(count(arguments.query), tuple(map(count, arguments.documents)))


def _unit_price(records: Sequence[RunRecord]) -> Decimal | None:
    """The dearest that a unit has been among these runs; None when none of them tells."""
    billed = ((record.cost_usd, result_of(record).search_units) for record in records)
    return max((cost / units for cost, units in billed if cost and units), default=None)


def _too_long(arguments: RerankArguments, snapshot: Snapshot) -> Iterator[str]:
    """A rerank model reads query and document together; what does not fit is cut upstream and paid for."""
    model = snapshot.find(arguments.model)
    if model is None or not model.context_length:
        return
    room = model.context_length - count_tokens(arguments.query)
    long = [n for n, text in enumerate(arguments.documents) if len(text) > room and count_tokens(text) > room]
    if long:
        named = ", ".join(f"documents[{n}]" for n in long[:5]) + (f" and {len(long) - 5} more" if len(long) > 5 else "")
        limit = f"{model.context_length:,} tokens with the query"
        yield f"{model.id} reads at most {limit}: of {named} only a part may count; split long documents."


def _whole(result: RerankResult) -> str:
    return "\n".join(f"{n}. {row.score:.6f} [{row.index}] {row.text}" for n, row in enumerate(result.results, 1))


TOOL = Tool(
    name="rerank",
    title="Rerank documents by relevance",
    kind="spend",
    description=DESCRIPTION,
    arguments=RerankArguments,
    answer=RerankAnswer,
    handle=rerank,
    keepsake=Keepsake(read=result_of, show=show, words=_whole),
)
