"""`endpoints`: who serves a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import Field

from or_mcp.calls.arguments import Arguments
from or_mcp.calls.call import Call
from or_mcp.calls.choosing import known_models
from or_mcp.calls.reply import Reply
from or_mcp.calls.tool import Tool
from or_mcp.catalogue.policy import VARIABLE, is_router
from or_mcp.openrouter.errors import Failure, InvalidRequest
from or_mcp.openrouter.wire.endpoints import Endpoint, ListedProvider
from or_mcp.openrouter.wire.routing import MaxPrice, Provider
from or_mcp.tools.answers.endpoints import (
    EndpointRow,
    EndpointsAnswer,
    ProviderRow,
    endpoint_row,
    provider_row,
    text_of,
    that_fit,
)

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
    shown = that_fit(ordered[: arguments.limit])
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
    return Reply(text_of(answer), answer)


async def _served(arguments: EndpointsArguments, call: Call) -> _Served:
    zdr = await _zdr(call, required=arguments.zdr)
    if not arguments.model:
        rows = [endpoint_row(endpoint, zdr=True, with_model=True) for endpoint in zdr or ()]
        return _Served(rows, len(rows), len(rows))
    served = await call.parts.catalogue.endpoints(arguments.model)
    keeping_nothing = {_identity(endpoint) for endpoint in zdr} if zdr is not None else None
    rows = [
        endpoint_row(endpoint, zdr=None if keeping_nothing is None else _identity(endpoint) in keeping_nothing)
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
    return [provider_row(known[name]) for name in dict.fromkeys(row.provider for row in rows) if name in known]


async def _known_providers(call: Call) -> tuple[ListedProvider, ...]:
    try:
        return await call.parts.catalogue.providers()
    except Failure:
        return ()


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


def _passes(row: EndpointRow, provider: Provider) -> bool:
    names = {row.provider.lower(), *((row.tag.lower(), row.tag.lower().split("/")[0]) if row.tag else ())}
    only, ignore = ({name.lower() for name in listed or ()} for listed in (provider.only, provider.ignore))
    if provider.max_price is not None and not _is_within(row, provider.max_price):
        return False
    return (not provider.zdr or row.zdr is True) and (not only or bool(names & only)) and not names & ignore


def _is_within(row: EndpointRow, most: MaxPrice) -> bool:
    """Whether its prices may answer; one that is not known may not."""
    pairs = ((row.input_price, most.prompt), (row.output_price, most.completion))
    return all(limit is None or (price is not None and Decimal(str(price)) <= limit) for price, limit in pairs)


TOOL = Tool(
    name="endpoints",
    title="Who serves a model",
    kind="read",
    description=DESCRIPTION,
    arguments=EndpointsArguments,
    answer=EndpointsAnswer,
    handle=endpoints,
)
