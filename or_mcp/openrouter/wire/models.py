"""Models and their prices: `/models`, `/embeddings/models`, `/model/{author}/{slug}`."""

from __future__ import annotations

from or_mcp.openrouter.wire.lenient import Lenient, Name, Number, Reply, Rows
from or_mcp.openrouter.wire.money import Price


class Prices(Reply):
    """USD per token unless said otherwise."""

    prompt: Price = None
    completion: Price = None
    request: Price = None
    # One picture that is sent, one token of a picture, and one picture that is made.
    image: Price = None
    image_token: Price = None
    image_output: Price = None
    audio: Price = None
    audio_output: Price = None
    input_audio_cache: Price = None
    # One search by the provider's own engine.
    web_search: Price = None
    internal_reasoning: Price = None
    input_cache_read: Price = None
    # Kept for five minutes, and for an hour.
    input_cache_write: Price = None
    input_cache_write_1h: Price = None


class PriceOverride(Prices):
    """Prices that replace the usual ones while all of its conditions hold."""

    min_prompt_tokens: Lenient[int] = None
    utc_start: Lenient[int] = None
    utc_end: Lenient[int] = None
    utc_days: Lenient[tuple[int | str, ...]] = None


class Pricing(Prices):
    """The usual prices, and what replaces them when."""

    overrides: Rows[PriceOverride] = ()
    # A part of the price that is left out; whether the figures are without it already is nowhere said.
    discount: Number = None


class Architecture(Reply):
    """What goes in and what comes out."""

    input_modalities: Rows[Name] = ()
    output_modalities: Rows[Name] = ()


class TopProvider(Reply):
    """Limits at the provider that is asked first."""

    context_length: Lenient[int] = None
    max_completion_tokens: Lenient[int] = None


class AliasTarget(Reply):
    """The model that a moving name points to now."""

    slug: Name
    name: Lenient[Name] = None


class Reasoning(Reply):
    """How the model reasons, and what may be asked of it."""

    mandatory: Lenient[bool] = None
    default_effort: Lenient[Name] = None
    supported_efforts: Lenient[tuple[Name, ...]] = None


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

    id: Name
    name: Name = ""
    canonical_slug: Lenient[Name] = None
    created: Lenient[int] = None
    description: Lenient[str] = None
    context_length: Lenient[int] = None
    architecture: Lenient[Architecture] = None
    pricing: Lenient[Pricing] = None
    top_provider: Lenient[TopProvider] = None
    supported_parameters: Rows[Name] = ()
    alias_target: Lenient[AliasTarget] = None
    benchmarks: Lenient[Benchmarks] = None
    expiration_date: Lenient[Name] = None
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
