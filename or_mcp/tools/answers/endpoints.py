"""What `endpoints` answers, in both forms."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any

from or_mcp.calls.quoting import named
from or_mcp.calls.reply import LIMIT, Answer, Maybe, Some
from or_mcp.catalogue.prices import per_million
from or_mcp.openrouter.wire.endpoints import Endpoint, ListedProvider
from or_mcp.openrouter.wire.models import Pricing
from or_mcp.tools.answers.models import price_words, row_prices


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


def that_fit(rows: Sequence[EndpointRow]) -> list[EndpointRow]:
    """As many as a host accepts, with room for the rest of the answer."""
    sizes = accumulate(len(row.model_dump_json()) for row in rows)
    # A third is for providers, parameters and notes.
    return [row for row, size in zip(rows, sizes, strict=True) if size <= LIMIT * 2 // 3]


def endpoint_row(endpoint: Endpoint, *, zdr: bool | None, with_model: bool = False) -> EndpointRow:
    """One provider's offer, as much of it as there is room for."""
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


def provider_row(provider: ListedProvider) -> ProviderRow:
    """Where it says what it does with data."""
    return ProviderRow(
        provider=provider.name,
        privacy_policy=provider.privacy_policy_url,
        terms=provider.terms_of_service_url,
        status_page=provider.status_page_url,
    )


def text_of(answer: EndpointsAnswer) -> str:
    """The form for reading."""
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
