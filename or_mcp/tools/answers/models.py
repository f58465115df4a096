"""A model in one compact row, as several tools and resources tell it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from or_mcp.calls.reply import Answer, Maybe, Some
from or_mcp.catalogue.prices import per_million
from or_mcp.catalogue.rates import is_free, listed_prices
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.wire.models import Model, Pricing

COLUMNS = "id | context | USD per M tokens in/out | modalities | supports"
_NAMED_SUPPORTS = ("tools", "structured_outputs", "reasoning", "web_search_options")
# Prices an hour old are mostly right: only from then on an answer says how old they are.
_OLD_SECONDS = 3_600


class ModelRow(Answer):
    """One model. Prices in USD per million tokens; null means it depends."""

    id: str
    name: str
    context: Maybe[int] = None
    max_output: Maybe[int] = None
    input_price: float | None
    output_price: float | None
    modalities: str
    supports: Some[list[str]]
    created: Maybe[str] = None
    alias_of: Maybe[str] = None
    expires: Maybe[str] = None
    # USD, by the test of OpenRouter's that was run with it.
    task_usd: Maybe[dict[str, float]] = None


def freshness(snapshot: Snapshot) -> list[str]:
    """How old the catalogue is, when that matters."""
    minutes = round(snapshot.age_seconds / 60)
    age = f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
    if snapshot.problem is not None:
        return [f"OpenRouter cannot be reached ({snapshot.problem.message}); this catalogue is {age} old."]
    if snapshot.age_seconds > _OLD_SECONDS:
        return [f"This catalogue is {age} old; a newer one is being fetched."]
    return []


def model_row(model: Model, tasks: Mapping[str, Decimal] | None = None) -> ModelRow:
    """One compact row; `tasks` is what one of each test cost with it."""
    input_price, output_price = row_prices(model.pricing, free=is_free(model))
    return ModelRow(
        id=model.id,
        name=model.name,
        context=model.context_length,
        max_output=model.top_provider.max_completion_tokens if model.top_provider else None,
        input_price=input_price,
        output_price=output_price,
        modalities=modalities(model),
        supports=[name for name in _NAMED_SUPPORTS if name in model.supported_parameters],
        created=datetime.fromtimestamp(model.created, UTC).date().isoformat() if model.created else None,
        alias_of=model.alias_target.slug if model.alias_target else None,
        expires=model.expiration_date,
        task_usd={name: float(round(cost, 6)) for name, cost in tasks.items()} if tasks else None,
    )


def row_prices(pricing: Pricing | None, *, free: bool) -> tuple[float | None, float | None]:
    """USD per million tokens in and out; null where it depends, or where something else than tokens is paid for."""
    prompt, completion = listed_prices(pricing, free=free)
    return _per_million(prompt), _per_million(completion)


def _per_million(price: Decimal | None) -> float | None:
    amount = per_million(price)
    return None if amount is None else float(round(amount, 6))


def modalities(model: Model) -> str:
    """What goes in and what comes out: `text+image->text`."""
    shape = model.architecture
    return f"{'+'.join(shape.input_modalities)}->{'+'.join(shape.output_modalities)}" if shape else "unknown"


def row_line(row: ModelRow) -> str:
    """One row under `COLUMNS`."""
    context = f"{round(row.context / 1000)}k" if row.context else "-"
    parts = [row.id, context, price_words(row.input_price, row.output_price), row.modalities]
    parts.append(",".join(_SHORT.get(name, name) for name in row.supports) or "-")
    if row.alias_of:
        parts.append(f"-> {row.alias_of}")
    if row.expires:
        parts.append(f"retires {row.expires}")
    if row.task_usd:
        parts.append(", ".join(f"${cost:.2g} a task ({name})" for name, cost in row.task_usd.items()))
    return " | ".join(parts)


_SHORT = {"structured_outputs": "json", "web_search_options": "web"}


def price_words(input_price: float | None, output_price: float | None) -> str:
    """Two prices in few characters."""
    if input_price == output_price == 0:
        return "free"
    return "/".join("depends" if price is None else f"{price:.4g}" for price in (input_price, output_price))
