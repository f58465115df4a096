"""`endpoints`: who serves a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any, Literal

from pydantic import Field

from or_mcp.calls.arguments import Arguments
from or_mcp.calls.call import Call
from or_mcp.calls.choosing import known_models
from or_mcp.calls.quoting import named
from or_mcp.calls.reply import LIMIT, Answer, Maybe, Reply, Some
from or_mcp.calls.tool import Tool
from or_mcp.catalogue.policy import VARIABLE, is_router
from or_mcp.catalogue.prices import per_million
from or_mcp.openrouter.errors import Failure, InvalidRequest
from or_mcp.openrouter.wire.endpoints import Endpoint, Provider
from or_mcp.openrouter.wire.models import Pricing
from or_mcp.openrouter.wire.routing import MaxPrice
from or_mcp.openrouter.wire.routing import Provider as Preferences
from or_mcp.tools.answers.models import price_words, row_prices

DESCRIPTION = """
Who serves a model, at what price, how fast, and what is kept of it. Free.

Each provider's price, limits, quantization, uptime, latency, throughput, whether it keeps nothing (ZDR), and its
privacy policy, terms and status page.

Use it before relying on a model for something fast, long, cheap or private. With `zdr` and no model: every endpoint
that keeps nothing.
"""


class EndpointsArguments(Arguments):
    """What `endpoints` takes."""

    model: str = Field("", description="Model id. Empty only with zdr.")
    zdr: bool = Field(default=False, description="Only endpoints that keep nothing.")
    sort: Literal["price", "latency", "throughput", "uptime"] = Field("price", description="Default price.")
    limit: int = Field(20, ge=1, le=100, description="Default 20.")


class EndpointRow(Answer):
    """One provider's offer. Prices in USD per million tokens."""

    provider: str
    tag: Maybe[str] = None
    model: Maybe[str] = None
    input_price: float | None
    output_price: float | None
    cache_read_price: Maybe[float] = None
    cache_write_price: Maybe[float] = None
    discount: Maybe[float] = None
    context: Maybe[int] = None
    max_output: Maybe[int] = None
    quantization: Maybe[str] = None
    uptime_30m: Maybe[float] = None
    uptime_5m: Maybe[float] = None
    latency_p50_ms: Maybe[float] = None
    throughput_p50: Maybe[float] = None
    zdr: Maybe[bool] = None
    supports: Some[list[str]]
    tool_choice: Maybe[list[str]] = None
    status: str


class ProviderRow(Answer):
    """Where a provider says what it does with data."""

    provider: str
    privacy_policy: Maybe[str] = None
    terms: Maybe[str] = None
    status_page: Maybe[str] = None


class EndpointsAnswer(Answer):
    """The structured form."""

    model: Maybe[str] = None
    endpoints: Some[list[EndpointRow]]
    total: int
    supported_parameters: Some[list[str]]
    providers: Some[list[ProviderRow]]
    notes: Some[list[str]]


@dataclass(frozen=True, slots=True)
class _Served:
    """Who serves a model, or keeps nothing of any; `keeping` is how many of `known` keep nothing, if that is known."""

    rows: Sequence[EndpointRow]
    known: int
    keeping: int | None
    model: str | None = None


async def endpoints(arguments: EndpointsArguments, call: Call) -> Reply:
    """Ask who serves it."""
    if not arguments.model and not arguments.zdr:
        raise InvalidRequest("model is missing; it takes a model id, and may be empty only with zdr true")
    served = await _served(arguments, call)
    ordered = sorted(served.rows, key=lambda row: _order(row, arguments.sort))
    shown = _that_fit(ordered[: arguments.limit])
    notes = [*_notes(served, call), *await _rules(served, call)]
    if len(shown) < min(arguments.limit, len(ordered)):
        notes.append(f"Only the first {len(shown)} endpoints fit into an answer; ask for one model to see the others.")
    answer = EndpointsAnswer(
        model=served.model,
        endpoints=shown,
        total=len(ordered),
        supported_parameters=sorted({name for row in ordered for name in row.supports}),
        providers=await _providers(call, shown),
        notes=notes,
    )
    return Reply(_text(answer), answer)


def _that_fit(rows: Sequence[EndpointRow]) -> list[EndpointRow]:
    """As many as a host accepts, with room for the rest of the answer."""
    sizes = accumulate(len(row.model_dump_json()) for row in rows)
    # A third is for providers, parameters and notes.
    return [row for row, size in zip(rows, sizes, strict=True) if size <= LIMIT * 2 // 3]


async def _served(arguments: EndpointsArguments, call: Call) -> _Served:
    zdr = await _zdr(call, required=arguments.zdr)
    if not arguments.model:
        rows = [_row(endpoint, zdr=True, with_model=True) for endpoint in zdr or ()]
        return _Served(rows, len(rows), len(rows))
    served = await call.parts.catalogue.endpoints(arguments.model)
    keeping_nothing = {_identity(endpoint) for endpoint in zdr} if zdr is not None else None
    rows = [
        _row(endpoint, zdr=None if keeping_nothing is None else _identity(endpoint) in keeping_nothing)
        for endpoint in served.endpoints
    ]
    keeping = [row for row in rows if row.zdr]
    return _Served(
        keeping if arguments.zdr else rows, len(rows), None if keeping_nothing is None else len(keeping), served.id
    )


async def _zdr(call: Call, *, required: bool) -> Sequence[Endpoint] | None:
    try:
        return await call.parts.catalogue.zdr_endpoints()
    except Failure:
        if required:
            raise
        return None


def _identity(endpoint: Endpoint) -> tuple[str | None, str]:
    return endpoint.model_id, endpoint.tag or endpoint.provider_name


def _row(endpoint: Endpoint, *, zdr: bool | None, with_model: bool = False) -> EndpointRow:
    input_price, output_price = row_prices(endpoint.pricing, free=(endpoint.model_id or "").endswith(":free"))
    row = EndpointRow(
        provider=endpoint.provider_name,
        tag=endpoint.tag,
        model=endpoint.model_id if with_model else None,
        input_price=input_price,
        output_price=output_price,
        context=endpoint.context_length,
        max_output=endpoint.max_completion_tokens,
        quantization=endpoint.quantization,
        uptime_30m=endpoint.uptime_last_30m,
        latency_p50_ms=endpoint.latency_last_30m.p50 if endpoint.latency_last_30m else None,
        throughput_p50=endpoint.throughput_last_30m.p50 if endpoint.throughput_last_30m else None,
        zdr=zdr,
        supports=list(endpoint.supported_parameters),
        status=_STATUS.get(str(endpoint.status), "degraded"),
    )
    # There is room for hundreds of models, or for more of one.
    return row if with_model else row.model_copy(update=_more(endpoint))


def _more(endpoint: Endpoint) -> dict[str, Any]:
    pricing = endpoint.pricing or Pricing()
    return {
        "cache_read_price": _per_million(pricing.input_cache_read),
        "cache_write_price": _per_million(pricing.input_cache_write),
        "discount": pricing.discount or None,
        "uptime_5m": endpoint.uptime_last_5m,
        "tool_choice": _tool_choice(endpoint),
    }


def _per_million(price: Decimal | None) -> float | None:
    amount = per_million(price)
    return None if amount is None else float(amount)


def _tool_choice(endpoint: Endpoint) -> list[str] | None:
    """Which choices of a tool it takes; None where that is not known."""
    known = endpoint.supports_tool_choice
    return None if known is None else [name for name, able in known.items() if able is True]


_STATUS = {"0": "ok", "None": "unknown"}


def _order(row: EndpointRow, sort: str) -> tuple[bool, float]:
    """Best first; what is not known comes last."""
    price = None if row.input_price is None else row.input_price + 3 * (row.output_price or 0)
    value = {
        "price": price,
        "latency": row.latency_p50_ms,
        "throughput": None if row.throughput_p50 is None else -row.throughput_p50,
        "uptime": None if row.uptime_30m is None else -row.uptime_30m,
    }[sort]
    return value is None, value or 0.0


async def _providers(call: Call, rows: Sequence[EndpointRow]) -> list[ProviderRow]:
    known = {provider.name: provider for provider in await _known_providers(call)}
    return [_links_of(known[name]) for name in dict.fromkeys(row.provider for row in rows) if name in known]


async def _known_providers(call: Call) -> tuple[Provider, ...]:
    try:
        return await call.parts.catalogue.providers()
    except Failure:
        return ()


def _links_of(provider: Provider) -> ProviderRow:
    return ProviderRow(
        provider=provider.name,
        privacy_policy=provider.privacy_policy_url,
        terms=provider.terms_of_service_url,
        status_page=provider.status_page_url,
    )


def _notes(served: _Served, call: Call) -> Iterator[str]:
    if served.keeping is None:
        yield "Which endpoints keep nothing could not be read."
    elif served.model is not None and is_router(served.model) and not served.known:
        yield f"{served.model} picks another model for each request; nobody serves it itself."
    elif served.model is not None:
        yield f"{served.keeping} of {served.known} endpoints keep nothing; OR_MCP_ZDR would leave only those."
    if call.caller.key is None:
        yield "Latency and throughput are told only with a key."


async def _rules(served: _Served, call: Call) -> Iterable[str]:
    """What the operator's rules leave of it."""
    told: list[str] = []
    policy, provider = call.parts.policy, call.parts.provider
    if served.model is not None and not policy.allows(await known_models(call), served.model):
        told.append(f"This server may not use {served.model}: {VARIABLE} is {', '.join(policy.models)}.")
    if provider is not None and served.rows:
        left = [row for row in served.rows if _passes(row, provider)]
        unknown = " (which of them train on prompts is not listed)" if provider.data_collection == "deny" else ""
        told.append(f"This server's rules leave {len(left)} of these {len(served.rows)} endpoints{unknown}.")
    return told


def _passes(row: EndpointRow, provider: Preferences) -> bool:
    names = {row.provider.lower(), *((row.tag.lower(), row.tag.lower().split("/")[0]) if row.tag else ())}
    only, ignore = ({name.lower() for name in listed or ()} for listed in (provider.only, provider.ignore))
    if provider.max_price is not None and not _is_within(row, provider.max_price):
        return False
    return (not provider.zdr or row.zdr is True) and (not only or bool(names & only)) and not names & ignore


def _is_within(row: EndpointRow, most: MaxPrice) -> bool:
    """Whether its prices may answer; one that is not known may not."""
    pairs = ((row.input_price, most.prompt), (row.output_price, most.completion))
    return all(limit is None or (price is not None and Decimal(str(price)) <= limit) for price, limit in pairs)


def _text(answer: EndpointsAnswer) -> str:
    lines = [f"{answer.model or 'ZDR endpoints'}: {answer.total} endpoints; provider (tag) | USD per M in/out | limits"]
    lines += [_line(row) for row in answer.endpoints]
    lines += [f"Parameters: {', '.join(answer.supported_parameters)}"] if answer.supported_parameters else []
    lines += [_links(row) for row in answer.providers]
    lines += [f"Note: {note}" for note in answer.notes]
    return "\n".join(lines)


def _line(row: EndpointRow) -> str:
    facts = [
        f"{named(row.provider)} ({named(row.tag or '-')})" + (f" {named(row.model)}" if row.model else ""),
        price_words(row.input_price, row.output_price) + _less(row),
        f"context {row.context or '-'}, output {row.max_output or '-'}",
        row.quantization or "-",
        _uptime(row),
        f"{row.latency_p50_ms:.0f} ms" if row.latency_p50_ms is not None else "? ms",
        f"{row.throughput_p50:.0f} tok/s" if row.throughput_p50 is not None else "? tok/s",
        {True: "ZDR", False: "keeps data", None: "ZDR ?"}[row.zdr],
        *([f"tool_choice {'/'.join(map(named, row.tool_choice)) or 'none'}"] if row.tool_choice is not None else []),
        row.status,
    ]
    return " | ".join(facts)


def _less(row: EndpointRow) -> str:
    """What a cached prompt costs, and what is taken off."""
    cached = f", cached {row.cache_read_price:g}" if row.cache_read_price is not None else ""
    written = f", cache write {row.cache_write_price:g}" if row.cache_write_price is not None else ""
    return cached + written + (f", discount {row.discount:.0%}" if row.discount else "")


def _uptime(row: EndpointRow) -> str:
    told = f"up {row.uptime_30m:.1f} %" if row.uptime_30m is not None else "up ?"
    return told if row.uptime_5m is None else f"{told} (5 min {row.uptime_5m:.1f} %)"


def _links(row: ProviderRow) -> str:
    told = [
        f"{label} <{url}>"
        for label, url in (("privacy", row.privacy_policy), ("terms", row.terms), ("status", row.status_page))
        if url
    ]
    return f"{named(row.provider)}: {', '.join(told)}"


TOOL = Tool(
    name="endpoints",
    title="Who serves a model",
    kind="read",
    description=DESCRIPTION,
    arguments=EndpointsArguments,
    answer=EndpointsAnswer,
    handle=endpoints,
)
