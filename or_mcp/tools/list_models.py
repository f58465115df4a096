"""`list_models`: find a model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.prices import per_million
from or_mcp.catalogue.rates import is_free, listed_prices
from or_mcp.catalogue.search import Found, Query, Sort, search
from or_mcp.openrouter.wire.models import Model, Pricing
from or_mcp.tools.arguments import Arguments
from or_mcp.tools.call import Call, decimal_or_none
from or_mcp.tools.choosing import operators_rules
from or_mcp.tools.reply import LIMIT, Answer, Maybe, Reply
from or_mcp.tools.tool import Tool

DESCRIPTION = """
Find a model among OpenRouter's hundreds: its id, price, limits and abilities today. Free.

Understands what a person means (`opus`, `gpt5 mini`, `cheap vision`, typos). Look here before naming a model from
memory. `~…-latest` aliases point to the newest of a family. Who serves a model is in `endpoints`.
"""

_NAMED_SUPPORTS = ("tools", "structured_outputs", "reasoning", "web_search_options")
COLUMNS = "id | context | USD per M tokens in/out | modalities | supports"
TEXT_ROW_LIMIT = 165
_OLD_SECONDS = 3_600


class ListModelsArguments(Arguments):
    """What `list_models` takes."""

    query: str = Field("", max_length=300, description="Name, family or wish.")
    output_modality: str = Field("text", description="text (default), embeddings, image, rerank, audio, video, all.")
    input_modality: str = Field("", description="image, file, audio, video.")
    supports: tuple[str, ...] = Field((), max_length=20, description="e.g. tools, structured_outputs, reasoning.")
    author: str = Field("", description="e.g. anthropic.")
    max_input_price: Annotated[float, Field(ge=0)] | SkipJsonSchema[None] = Field(None, description="USD/M tokens.")
    max_output_price: Annotated[float, Field(ge=0)] | SkipJsonSchema[None] = Field(None, description="USD/M tokens.")
    min_context: Annotated[int, Field(ge=0)] | SkipJsonSchema[None] = None
    free: bool = Field(default=False, description="Only free models.")
    sort: Sort = Field("relevance", description="Default relevance.")
    limit: int = Field(20, ge=1, le=100, description="Default 20.")
    cursor: str = Field("", description="next_cursor of the page before.")


class ModelRow(Answer):
    """One model. Prices in USD per million tokens; null means it depends."""

    id: str
    name: str
    context: int | None
    max_output: int | None
    input_price: float | None
    output_price: float | None
    modalities: str
    supports: list[str]
    created: str | None
    alias_of: Maybe[str] = None
    expires: Maybe[str] = None


class ListModelsAnswer(Answer):
    """The structured form."""

    models: list[ModelRow]
    total: int
    next_cursor: Maybe[str] = None
    closest: Maybe[list[str]] = None
    notes: list[str]


async def list_models(arguments: ListModelsArguments, call: Call) -> Reply:
    """Search the catalogue."""
    snapshot = await call.parts.catalogue.models()
    found = search(snapshot.models, _query(arguments, snapshot), *operators_rules(call, snapshot))
    answer = ListModelsAnswer(
        models=[model_row(model) for model in found.rows],
        total=found.total,
        next_cursor=found.next_cursor,
        closest=list(found.closest) or None,
        notes=[*_about(found, arguments), *freshness(snapshot)],
    )
    return Reply(_text(answer), answer)


def _about(found: Found, arguments: ListModelsArguments) -> Iterator[str]:
    """What the caller would not expect of this result."""
    yield from (f"{words}." if not words.endswith("?") else words for words in found.blamed)
    if found.rows and found.output_modality == "all" != arguments.output_modality:
        yield f"Nothing of that name makes {arguments.output_modality}: these make something else (see modalities)."


def _query(arguments: ListModelsArguments, snapshot: Snapshot) -> Query:
    return Query(
        text=arguments.query,
        output_modality=_modality(arguments.output_modality, snapshot),
        input_modality=arguments.input_modality,
        supports=arguments.supports,
        author=arguments.author,
        max_input_price=decimal_or_none(arguments.max_input_price),
        max_output_price=decimal_or_none(arguments.max_output_price),
        min_context=arguments.min_context,
        free=arguments.free,
        sort=arguments.sort,
        limit=arguments.limit,
        cursor=arguments.cursor,
    )


def _modality(given: str, snapshot: Snapshot) -> str:
    """A modality in upstream's spelling: `embedding` is `embeddings`, `images` is `image`."""
    known = {name for model in snapshot.models if model.architecture for name in model.architecture.output_modalities}
    name = given.strip().lower()
    return next((each for each in (name, f"{name}s", name.removesuffix("s")) if each in known), name)


def freshness(snapshot: Snapshot) -> list[str]:
    """How old the catalogue is, when that matters."""
    minutes = round(snapshot.age_seconds / 60)
    age = f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
    if snapshot.problem is not None:
        return [f"OpenRouter cannot be reached ({snapshot.problem.message}); this catalogue is {age} old."]
    if snapshot.age_seconds > _OLD_SECONDS:
        return [f"This catalogue is {age} old; a newer one is being fetched."]
    return []


def model_row(model: Model) -> ModelRow:
    """One compact row."""
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


def _text(answer: ListModelsAnswer) -> str:
    lines = [f"{answer.total} model{'' if answer.total == 1 else 's'}; {COLUMNS}"]
    lines += [row_line(row)[:TEXT_ROW_LIMIT] for row in answer.models]
    if answer.total == 0:
        lines = ["No model matches." + (f" Closest: {', '.join(answer.closest)}" if answer.closest else "")]
    lines += [f"Note: {note}" for note in answer.notes]
    if answer.next_cursor:
        lines.append(f"More: call again with cursor={answer.next_cursor!r}")
    return "\n".join(lines)[:LIMIT]


def row_line(row: ModelRow) -> str:
    """One row under `COLUMNS`."""
    context = f"{round(row.context / 1000)}k" if row.context else "-"
    parts = [row.id, context, price_words(row.input_price, row.output_price), row.modalities]
    parts.append(",".join(_SHORT.get(name, name) for name in row.supports) or "-")
    if row.alias_of:
        parts.append(f"-> {row.alias_of}")
    if row.expires:
        parts.append(f"retires {row.expires}")
    return " | ".join(parts)


_SHORT = {"structured_outputs": "json", "web_search_options": "web"}


def price_words(input_price: float | None, output_price: float | None) -> str:
    """Two prices in few characters."""
    if input_price == output_price == 0:
        return "free"
    return "/".join("depends" if price is None else f"{price:.4g}" for price in (input_price, output_price))


TOOL = Tool(
    name="list_models",
    title="Find a model",
    kind="read",
    description=DESCRIPTION,
    arguments=ListModelsArguments,
    answer=ListModelsAnswer,
    handle=list_models,
)
