"""Models and their prices: `/models`, `/embeddings/models`, `/model/{author}/{slug}`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from or_mcp.openrouter.wire.lenient import Lenient, Number, Reply, Rows


def _price(value: object) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        return None
    return amount if amount.is_finite() else None


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


Price = Annotated[Decimal | None, BeforeValidator(_price), PlainSerializer(_plain, when_used="json")]
"""USD per unit, as upstream's string. -1 means it depends on the model that is chosen."""


class PriceOverride(Reply):
    """Prices that replace the usual ones while all of its conditions hold."""

    min_prompt_tokens: Lenient[int] = None
    utc_start: Lenient[int] = None
    utc_end: Lenient[int] = None
    utc_days: Lenient[tuple[int | str, ...]] = None
    prompt: Price = None
    completion: Price = None
    request: Price = None
    internal_reasoning: Price = None


class Pricing(Reply):
    """USD per token unless said otherwise."""

    prompt: Price = None
    completion: Price = None
    request: Price = None
    image: Price = None
    image_output: Price = None
    audio: Price = None
    audio_output: Price = None
    web_search: Price = None
    internal_reasoning: Price = None
    input_cache_read: Price = None
    overrides: Rows[PriceOverride] = ()


class Architecture(Reply):
    """What goes in and what comes out."""

    input_modalities: Rows[str] = ()
    output_modalities: Rows[str] = ()


class TopProvider(Reply):
    """Limits at the provider that is asked first."""

    context_length: Lenient[int] = None
    max_completion_tokens: Lenient[int] = None


class AliasTarget(Reply):
    """The model that a moving name points to now."""

    slug: str
    name: Lenient[str] = None


class Reasoning(Reply):
    """How the model reasons, and what may be asked of it."""

    mandatory: Lenient[bool] = None
    default_effort: Lenient[str] = None
    supported_efforts: Lenient[tuple[str, ...]] = None


class ArtificialAnalysis(Reply):
    """Benchmark indexes."""

    intelligence_index: Number = None
    coding_index: Number = None
    agentic_index: Number = None


class Benchmarks(Reply):
    """What others measured."""

    artificial_analysis: Lenient[ArtificialAnalysis] = None


class Model(Reply):
    """One row of the catalogue."""

    id: str
    name: str = ""
    canonical_slug: Lenient[str] = None
    created: Lenient[int] = None
    description: Lenient[str] = None
    context_length: Lenient[int] = None
    architecture: Lenient[Architecture] = None
    pricing: Lenient[Pricing] = None
    top_provider: Lenient[TopProvider] = None
    supported_parameters: Rows[str] = ()
    alias_target: Lenient[AliasTarget] = None
    benchmarks: Lenient[Benchmarks] = None
    expiration_date: Lenient[str] = None
    reasoning: Lenient[Reasoning] = None


class Links(Reply):
    """Where the next page is."""

    next: Lenient[str] = None


class ModelList(Reply):
    """A page of models. A row that cannot be read is left out rather than hiding all others."""

    data: Rows[Model] = ()
    links: Lenient[Links] = None


class ModelReply(Reply):
    """One model."""

    data: Model
