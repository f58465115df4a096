"""The filters of a search, each with its words, so that the one that let nothing through can be named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from or_mcp.catalogue.closest import similar
from or_mcp.catalogue.intents import gives, supports, takes
from or_mcp.catalogue.prices import per_million
from or_mcp.catalogue.rates import is_free, listed_prices
from or_mcp.catalogue.slugs import author
from or_mcp.openrouter.wire.models import Model

# As many values as there are of most things; a list of all makers would fill the answer.
_MOST_NAMED = 40


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter as the caller wrote it, what it keeps, and which values models have there.

    A rule is one that the caller did not set and cannot drop.
    """

    words: str
    keep: Callable[[Model], bool]
    value: str = ""
    values: Callable[[Model], Iterable[str]] | None = None
    is_rule: bool = False

    def unknown(self, models: Iterable[Model]) -> str:
        """What to say when no model at all has such a value; empty when some have, or it is no list of values."""
        if self.values is None or any(map(self.keep, models := list(models))):
            return ""
        known = sorted({value for model in models for value in self.values(model)})
        close = similar(self.value.lower(), known, n=3)
        named = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(known[:_MOST_NAMED])}"
        return f"No model has {self.words}; {named}"


def output_is(modality: str) -> Condition:
    """What should come out; `all` is anything."""
    return Condition(f"output_modality={modality}", gives(modality), modality, _outputs)


def input_is(modality: str) -> Condition:
    """What must be read."""
    return Condition(f"input_modality={modality}", takes(modality), modality, _inputs)


def supporting(parameter: str) -> Condition:
    """A parameter that some provider honours."""
    return Condition(f"supports={parameter}", supports(parameter), parameter, lambda model: model.supported_parameters)


def made_by(wanted: str) -> Condition:
    """A maker, by slug (`x-ai`), or as people spell it (`xAI`, `Meta`, `Mistral`)."""
    return Condition(f"author={wanted}", lambda model: _is_by(model, wanted), wanted, lambda model: [author(model.id)])


def priced_at_most(
    input_price: Decimal | None, output_price: Decimal | None, min_context: int | None, *, free: bool
) -> Iterator[Condition]:
    """The limits in numbers, as far as they are set. USD per million tokens."""
    if free:
        yield Condition("free=true", is_free)
    if min_context is not None:
        yield Condition(f"min_context={min_context}", lambda model: (model.context_length or 0) >= min_context)
    if input_price is not None:
        keep_in = _at_most(input_price, lambda model: listed_prices(model.pricing, free=is_free(model))[0])
        yield Condition(f"max_input_price={input_price}", keep_in)
    if output_price is not None:
        keep_out = _at_most(output_price, lambda model: listed_prices(model.pricing, free=is_free(model))[1])
        yield Condition(f"max_output_price={output_price}", keep_out)


def _at_most(limit: Decimal, price: Callable[[Model], Decimal | None]) -> Callable[[Model], bool]:
    def keep(model: Model) -> bool:
        known = per_million(price(model))
        return known is not None and known <= limit

    return keep


def _is_by(model: Model, wanted: str) -> bool:
    plain = "".join(filter(str.isalnum, wanted.lower()))
    name = "".join(filter(str.isalnum, model.name.split(":")[0].lower())) if ":" in model.name else ""
    slug = author(model.id).replace("-", "")
    return plain in (slug, name) or (len(plain) >= 4 and slug.startswith(plain) and slug != "openrouter")


def _outputs(model: Model) -> Iterable[str]:
    return model.architecture.output_modalities if model.architecture else ()


def _inputs(model: Model) -> Iterable[str]:
    return model.architecture.input_modalities if model.architecture else ()
