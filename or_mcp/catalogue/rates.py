"""Which prices hold for one request: conditional prices applied, and what is unknown kept apart from what is free."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from or_mcp.openrouter.wire.models import Model, PriceOverride, Pricing

MILLION = Decimal(1_000_000)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_KEYS = ("prompt", "completion", "request", "internal_reasoning")
_PRICED_BY_TOKEN = frozenset({"text", "embeddings", "rerank"})


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per token, and per request. None is unknown."""

    prompt: Decimal | None
    completion: Decimal | None
    request: Decimal | None
    internal_reasoning: Decimal | None

    @property
    def output(self) -> Decimal | None:
        """The dearest an output token can be: reasoning may have a price of its own."""
        if self.completion is None or self.internal_reasoning is None:
            return self.completion
        return max(self.completion, self.internal_reasoning)


def rates(pricing: Pricing | None, prompt_tokens: int, now: datetime) -> Rates:
    """The prices in force for a prompt of this size at this time."""
    if pricing is None:
        return Rates(None, None, None, None)
    # No price per request means there is none; a price of -1 means it depends.
    request = pricing.request if pricing.request is not None else Decimal(0)
    found = Rates(pricing.prompt, pricing.completion, request, pricing.internal_reasoning)
    for override in pricing.overrides:
        if applies(override, prompt_tokens, now):
            given = {key: price for key in _KEYS if (price := getattr(override, key)) is not None}
            found = replace(found, **given)
    return Rates(*(known(price) for price in (found.prompt, found.completion, found.request, found.internal_reasoning)))


def applies(override: PriceOverride, prompt_tokens: int, now: datetime) -> bool:
    """Whether all conditions of an override hold."""
    if override.min_prompt_tokens is not None and prompt_tokens <= override.min_prompt_tokens:
        return False
    return _in_window(override, now.astimezone(UTC))


def _in_window(override: PriceOverride, now: datetime) -> bool:
    start = 0 if override.utc_start is None else override.utc_start
    end = 2400 if override.utc_end is None else override.utc_end
    clock = now.hour * 100 + now.minute
    if start <= end:
        return start <= clock < end and _on_day(override, now)
    if clock >= start:
        return _on_day(override, now)
    # After midnight, a window that wraps still belongs to the day it began on.
    return clock < end and _on_day(override, now - timedelta(days=1))


def _on_day(override: PriceOverride, day: datetime) -> bool:
    if not override.utc_days:
        return True
    # Numbers are taken as JavaScript counts them: 0 is Sunday (and so is ISO's 7).
    number = day.isoweekday() % 7
    return any(_is_day(wanted, number) for wanted in override.utc_days)


def _is_day(wanted: int | str, number: int) -> bool:
    text = str(wanted).strip().lower()
    return int(text) % 7 == number if text.isdecimal() else text[:3] == _WEEKDAYS[number]


def known(price: Decimal | None) -> Decimal | None:
    """A price, or None when it is missing or depends on something."""
    return price if price is not None and price >= 0 else None


def is_free(model: Model) -> bool:
    """Whether using it costs nothing. Models priced by the second or the picture list no price per token either."""
    prices, shape = model.pricing, model.architecture
    if prices is None or prices.prompt != 0 or prices.completion != 0 or prices.request or prices.image:
        return False
    outputs = shape.output_modalities if shape else ()
    return model.id.endswith(":free") or not _PRICED_BY_TOKEN.isdisjoint(outputs)


def mixed_price(model: Model) -> Decimal | None:
    """One figure to compare models by, USD per token: three parts input to one part output."""
    prices = model.pricing
    prompt = known(prices.prompt) if prices else None
    completion = known(prices.completion) if prices else None
    if prompt is None or completion is None:
        return None
    mixed = (3 * prompt + completion) / 4
    return mixed if mixed or is_free(model) else None
