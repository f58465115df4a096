"""`rerank`: documents ordered by relevance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Annotated

import anyio.to_thread
from pydantic import Field, TypeAdapter
from pydantic.json_schema import SkipJsonSchema

from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.prices import UNREAD
from or_mcp.catalogue.reranking import Pairs, estimate_rerank
from or_mcp.catalogue.tokens import count_tokens, most_tokens
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import shorten
from or_mcp.openrouter.wire.embeddings import RerankRequest
from or_mcp.runs import queries
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.record import Progress, RunRecord, Status
from or_mcp.tools.arguments import Amount, Arguments, Question, Text
from or_mcp.tools.call import Call, decimal_or_none
from or_mcp.tools.choosing import check_models
from or_mcp.tools.explain import explanation, failure_of
from or_mcp.tools.keepsake import Keepsake, Shown
from or_mcp.tools.paid import Offer, Order, place
from or_mcp.tools.paid_answer import EstimateRange, estimate_range
from or_mcp.tools.quoting import named, quoted
from or_mcp.tools.reply import LIMIT, Answer, Maybe, Reply, usd
from or_mcp.tools.tool import Tool
from or_mcp.vectors.relevance import RerankResult, read_relevance
from or_mcp.vectors.texts import check_texts

DESCRIPTION = """
Order documents by relevance to a query with a rerank model, which reads both together: better than `embed`, but every
call pays for all documents. For thousands, narrow down with embed first.

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
    snapshot = await check_models(call, (arguments.model,), OUTPUT_MODALITY)
    request = RerankRequest(
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
    estimate = estimate_rerank(snapshot, arguments.model, usual, at_most, _unit_price(before)) if snapshot else UNREAD
    order = Order(
        tool="rerank",
        arguments=arguments,
        models=(arguments.model,),
        prompt=arguments.query,
        offer=lambda _: Offer(estimate, lambda: Reranking(request, call.upstream)),
        ceiling_usd=decimal_or_none(arguments.max_cost_usd),
        notes=tuple(_too_long(arguments, snapshot)),
    )
    return await place(call, order, KEEPSAKE, Shown())


def _pairs(arguments: RerankArguments, count: Callable[[str], int]) -> Pairs:
    return Pairs(count(arguments.query), tuple(map(count, arguments.documents)))


def _unit_price(records: Sequence[RunRecord]) -> Decimal | None:
    """The dearest that a unit has been among these runs; None when none of them tells."""
    told = ((record.cost_usd, _result(record).search_units) for record in records)
    return max((cost / units for cost, units in told if cost and units), default=None)


def _too_long(arguments: RerankArguments, snapshot: Snapshot | None) -> Iterator[str]:
    """A rerank model reads query and document together; what does not fit is cut upstream and paid for."""
    model = snapshot.find(arguments.model) if snapshot else None
    if model is None or not model.context_length:
        return
    room = model.context_length - count_tokens(arguments.query)
    long = [n for n, text in enumerate(arguments.documents) if len(text) > room and count_tokens(text) > room]
    if long:
        named = ", ".join(f"documents[{n}]" for n in long[:5]) + (f" and {len(long) - 5} more" if len(long) > 5 else "")
        limit = f"{model.context_length:,} tokens with the query"
        yield f"{model.id} reads at most {limit}: of {named} only a part may count; split long documents."


_RESULT: TypeAdapter[RerankResult] = TypeAdapter(RerankResult)


class Reranking:
    """Documents being ordered."""

    def __init__(self, request: RerankRequest, upstream: OpenRouter) -> None:
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


class RerankRow(Answer):
    """One document."""

    index: int
    relevance_score: float
    text: str


class RerankUsage(Answer):
    """What was counted."""

    search_units: Maybe[int] = None
    total_tokens: Maybe[int] = None


class RerankAnswer(Answer):
    """The structured form."""

    run_id: str
    tool: Maybe[str] = None
    status: Status
    results: list[RerankRow]
    model: Maybe[str] = None
    provider: Maybe[str] = None
    cost_usd: float | None
    provider_cost_usd: Maybe[float] = None
    cost_estimate_usd: EstimateRange
    usage: Maybe[RerankUsage] = None
    elapsed_seconds: float
    generation_id: Maybe[str] = None
    error: Maybe[str] = None
    replayed: bool
    notes: list[str]


# Characters of a document, and how many documents.
_ROOMS = ((200, 1000), (200, 100), (80, 100), (20, 50))


def show(record: RunRecord, result: RerankResult, shown: Shown) -> Reply:
    """The answer, shortened until both forms fit."""
    for chars, rows in _ROOMS[:-1]:
        reply = _reply(record, result, shown, chars, rows)
        if len(reply.text) <= LIMIT and len(reply.structured.model_dump_json()) <= LIMIT:
            return reply
    return _reply(record, result, shown, *_ROOMS[-1])


def _reply(record: RunRecord, result: RerankResult, shown: Shown, chars: int, rows: int) -> Reply:
    answer = RerankAnswer(
        run_id=record.run_id,
        status=record.status,
        results=[
            RerankRow(index=row.index, relevance_score=row.score, text=shorten(row.text, chars))
            for row in result.results[:rows]
        ],
        model=result.model,
        provider=result.provider,
        cost_usd=usd(record.cost_usd),
        provider_cost_usd=usd(result.provider_cost_usd),
        cost_estimate_usd=estimate_range(record),
        usage=RerankUsage(search_units=result.search_units, total_tokens=result.total_tokens),
        elapsed_seconds=record.elapsed_seconds(),
        generation_id=record.generation_id,
        error=explanation(failure_of(record), record).split("\n", 1)[0] if record.failure else None,
        replayed=shown.replayed,
        notes=[*_notes(record, result, shown, rows), *shown.notes],
    )
    return Reply("\n".join(_text(answer, shown)), answer)


def _notes(record: RunRecord, result: RerankResult, shown: Shown, rows: int) -> Iterator[str]:
    if not record.finished:
        yield f"Still running: call run with run_id {record.run_id!r} and wait_seconds to get the answer."
    if shown.replayed and record.finished:
        yield f"Paid for at {record.started:%Y-%m-%d %H:%M} UTC and not received then; nothing was paid now."
    if len(result.results) > rows:
        rest = f"run(run_id={record.run_id!r}, part='result')"
        yield f"{rows} of {len(result.results)} documents are shown; all: {rest}."


def _text(answer: RerankAnswer, shown: Shown) -> Iterator[str]:
    if answer.status == "running":
        yield f"Running: {answer.run_id} · {shown.progress or 'in another process'}"
    elif answer.status != "completed":
        yield f"{answer.status.capitalize()}: {answer.error or 'no reason recorded'}"
    if answer.results:
        yield quoted(answer.run_id, "order: relevance [index] document", _listed(answer.results))
    yield from (f"Note: {note}" for note in answer.notes)
    by = " · ".join(named(part) for part in (answer.model, answer.provider) if part)
    yield f"Run: {answer.run_id} · {by or answer.status} · {answer.elapsed_seconds} s"
    if shown.cost_line:
        yield shown.cost_line


def _listed(rows: Sequence[RerankRow]) -> str:
    return "\n".join(f"{n}. {row.relevance_score:.4f} [{row.index}] {row.text}" for n, row in enumerate(rows, 1))


def _result(record: RunRecord) -> RerankResult:
    return _RESULT.validate_json(record.result) if record.result else RerankResult()


def _show(record: RunRecord, shown: Shown) -> Reply:
    return show(record, _result(record), shown)


def _whole(record: RunRecord) -> str:
    rows = _result(record).results
    return "\n".join(f"{n}. {row.score:.6f} [{row.index}] {row.text}" for n, row in enumerate(rows, 1))


KEEPSAKE = Keepsake(show=_show, result=_whole, provider_cost=lambda record: _result(record).provider_cost_usd)

TOOL = Tool(
    name="rerank",
    title="Rerank documents by relevance",
    kind="spend",
    description=DESCRIPTION,
    arguments=RerankArguments,
    answer=RerankAnswer,
    handle=rerank,
    keepsake=KEEPSAKE,
)
