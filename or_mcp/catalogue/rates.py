"""Which prices hold for one request: conditional prices applied, and what is unknown kept apart from what is free."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Literal

from or_mcp.openrouter.wire.models import Model, PriceOverride, Pricing

# Upstream lists prices for one token; people compare them for a million.
MILLION = Decimal(1_000_000)
FREE_ROUTER = "openrouter/free"
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# What writing to a cache costs where it is not listed, against reading afresh: for minutes, and for an hour.
_WRITE, _WRITE_1H = Decimal("1.25"), Decimal(2)
# A run is priced by the minute in which each request is made, up to an hour after it was admitted.
_MEANWHILE = tuple(timedelta(minutes=minutes) for minutes in (0, 15, 30, 45, 60))


Cache = Literal["", "read", "write", "write_1h"]
"""How a prompt goes through its provider's cache: not at all, found there, or kept there for minutes or an hour."""


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per token, per image and per request, under the names of upstream. None is unknown, or not priced apart."""

    prompt: Decimal | None = None
    completion: Decimal | None = None
    request: Decimal | None = None
    internal_reasoning: Decimal | None = None
    input_cache_read: Decimal | None = None
    input_cache_write: Decimal | None = None
    input_cache_write_1h: Decimal | None = None
    image: Decimal | None = None
    image_token: Decimal | None = None
    audio: Decimal | None = None
    image_output: Decimal | None = None
    audio_output: Decimal | None = None
    web_search: Decimal | None = None

    @property
    def output(self) -> Decimal | None:
        """The dearest an output token can be: reasoning, pictures and sound may have prices of their own."""
        others = (self.internal_reasoning, self.image_output, self.audio_output)
        return reduce(_dearest, others, self.completion)

    @property
    def input_at_most(self) -> Decimal | None:
        """The dearest an input token can be: some models write their cache unasked."""
        return _dearest(self.prompt, self.input_cache_write)

    def input_through(self, cache: Cache) -> Decimal | None:
        """What an input token costs by way of the cache."""
        if self.prompt is None or not cache:
            return self.prompt
        if cache == "read":
            return self.prompt if self.input_cache_read is None else min(self.prompt, self.input_cache_read)
        for_minutes = _first(self.input_cache_write, self.prompt * _WRITE)
        return for_minutes if cache == "write" else _first(self.input_cache_write_1h, self.prompt * _WRITE_1H)


_NAMES = tuple(each.name for each in fields(Rates))


def _dearest(price: Decimal | None, other: Decimal | None) -> Decimal | None:
    return price if price is None or other is None else max(price, other)


def _first(listed: Decimal | None, usual: Decimal) -> Decimal:
    return usual if listed is None else listed


def rates(pricing: Pricing | None, prompt_tokens: int, now: datetime) -> Rates:
    """The prices in force for a prompt of this size at this time."""
    if pricing is None:
        return Rates()
    found = _listed(pricing)
    for override in pricing.overrides:
        if applies(override, prompt_tokens, now):
            found |= _given(override)
    return _known(found)


def rates_at_most(pricing: Pricing | None, prompt_tokens: int, now: datetime) -> Rates:
    """The dearest prices that a run may meet which begins now, with a prompt of up to this size."""
    if pricing is None:
        return Rates()
    found = _listed(pricing)
    for override in pricing.overrides:
        if any(applies(override, prompt_tokens, now + later) for later in _MEANWHILE):
            found |= {name: _dearer(price, found.get(name)) for name, price in _given(override).items()}
    return _known(found)


def _listed(pricing: Pricing) -> dict[str, Decimal]:
    # No price per request means there is none; a price of -1 means it depends.
    return {"request": Decimal(0)} | _given(pricing)


def _given(prices: Pricing | PriceOverride) -> dict[str, Decimal]:
    return {name: price for name in _NAMES if (price := getattr(prices, name, None)) is not None}


def _dearer(price: Decimal, other: Decimal | None) -> Decimal:
    # A price that depends is dearer than any that is known.
    return price if other is None or price < 0 else other if other < 0 else max(price, other)


def _known(found: dict[str, Decimal]) -> Rates:
    return Rates(**{name: price for name, price in found.items() if price >= 0})


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


def makes(model: Model) -> frozenset[str]:
    """What comes out of it, as far as is known."""
    return frozenset(model.architecture.output_modalities if model.architecture else ())


def is_free(model: Model) -> bool:
    """Whether using it costs nothing, by its name or by its prices.

    Rows of rerankers and of media list zeros and bill all the same: zeros count only where text alone comes out.
    """
    # A search is a service beside the model, and has its price in any case.
    if model.pricing is None or any(price for name, price in _given(model.pricing).items() if name != "web_search"):
        return False
    if model.id.endswith(":free") or model.id == FREE_ROUTER:
        return True
    made = model.architecture.output_modalities if model.architecture else ()
    return tuple(made) == ("text",) and model.pricing.prompt == 0 and model.pricing.completion == 0


def listed_prices(pricing: Pricing | None, *, free: bool) -> tuple[Decimal | None, Decimal | None]:
    """USD per token in and out; None where it depends, or where zeros stand for something else that is paid for."""
    if pricing is None:
        return None, None
    prompt, completion = known(pricing.prompt), known(pricing.completion)
    if free:
        return prompt, completion
    if not prompt and not completion:
        return None, None
    return prompt, None if completion == 0 and (pricing.image_output or pricing.audio_output) else completion


def mixed_price(model: Model) -> Decimal | None:
    """One figure to compare models by, USD per token: three parts input to one part output."""
    prompt, completion = listed_prices(model.pricing, free=is_free(model))
    # As comparisons of models usually mix them.
    return None if prompt is None or completion is None else (3 * prompt + completion) / 4
