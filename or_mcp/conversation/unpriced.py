"""What an answer can cost when nobody knows who will give it: the dearest prices that may, times the limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal

from or_mcp.catalogue.costs import Load, Unpriced, cost_at_most
from or_mcp.catalogue.prices import LONG_ANSWER_TOKENS, Prompt, answer_at_most
from or_mcp.catalogue.rates import MILLION, known
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.web import FETCH_USD, STEP_TOKENS, WebUse
from or_mcp.openrouter.wire.models import Model, Pricing
from or_mcp.openrouter.wire.routing import MaxPrice
from or_mcp.runs.budget import Room

# An answer that is cut at fewer tokens than this is of no use: reasoning counts among them.
LEAST_REASONING = 2_000
# Of what many calls share, one takes no more than this part for an answer longer than usual.
SHARE = Decimal("0.1")
# An output token usually costs five times an input token, a cache may be written at 1.25 times the price, and no search
# that is known costs more than this.
_OUTPUT_TO_INPUT, _CACHE_WRITE, _DEAREST_SEARCH = 5, Decimal("1.25"), Decimal("0.035")
# Below the first, no good model can be had, and below the second none: USD per input token.
_GOOD_PRICE, _LEAST_PRICE = Decimal(3) / MILLION, Decimal("0.02") / MILLION
# A hundredth of the money is for those who charge by the request, and for pictures as much again each.
_PART = Decimal("0.01")
_STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Sizes:
    """A prompt as it usually counts, and at most."""

    usual: Prompt
    at_most: Prompt


def offer_for(sizes: Sizes, web: WebUse, snapshot: Snapshot, room: Room, chosen: int | None) -> Offer:
    """The longest answer for which good models can be had; where none can be had at all, what is nearest to it."""
    usd, shared = room.usd or Decimal(0), room.shared_usd
    targets = [usd] if shared is None else [min(usd, shared * SHARE), usd]
    offers = [Offer(sizes, web, target, tokens, snapshot) for target in targets for tokens in _lengths(chosen)]
    return next((offer for offer in offers if offer.input_price >= _GOOD_PRICE), offers[-1])


def _lengths(chosen: int | None) -> Iterator[int]:
    """The answer's length as the caller chose it, else shorter and shorter ones."""
    if chosen is not None:
        yield chosen
        return
    tokens = LONG_ANSWER_TOKENS
    while tokens >= LEAST_REASONING:
        yield tokens
        tokens //= 2


class Offer:
    """So many tokens for so much money, whoever answers."""

    def __init__(self, sizes: Sizes, web: WebUse, usd: Decimal, tokens: int, snapshot: Snapshot) -> None:
        self.tokens = tokens
        self._prompt = sizes.at_most
        self._web = web
        self._usd = usd
        turns = web.steps + 1
        images = sizes.at_most.media.images
        # What one turn may ask for being made, and for each picture in it.
        self._each = (usd * _PART / turns).quantize(_STEP, ROUND_FLOOR)
        self._fees = web.searches * _DEAREST_SEARCH + web.fetches * FETCH_USD + self._each * turns * (1 + images)
        read = sum(sizes.at_most.tokens + web.read_at_most_by(step) for step in range(turns))
        # Everything that is read and written, as input tokens.
        self._weight = _CACHE_WRITE * read + _OUTPUT_TO_INPUT * (tokens + web.steps * STEP_TOKENS)
        self._odd_price = self._below_the_odd(snapshot)
        self.input_price = max(min(self._affordable(), self._odd_price), _LEAST_PRICE)

    @property
    def most(self) -> Decimal | None:
        """What it comes to: all the money, since whoever may cost more than is listed is let in up to that.

        None where somebody is let in at any price who may cost more than all the money.
        """
        if self._odd_price < _LEAST_PRICE:
            return None
        return max(self._usd, self.input_price * self._weight + self._fees)

    def max_price(self) -> MaxPrice:
        """What upstream is told."""
        prompt = self.input_price * MILLION
        return MaxPrice(
            prompt=prompt,
            completion=prompt * _OUTPUT_TO_INPUT,
            request=self._each,
            image=self._each if self._prompt.media.images else None,
        )

    def told(self, by: str) -> str:
        """What this means for whoever asked."""
        price = self.input_price * MILLION
        return f"Only models of up to ${price:.2f} a million input tokens may answer, so that it fits ({by})."

    def _affordable(self) -> Decimal:
        return ((self._usd - self._fees) / self._weight).quantize(_STEP / MILLION, ROUND_FLOOR)

    def _below_the_odd(self, snapshot: Snapshot) -> Decimal:
        """The price below which nobody answers who may cost more than is listed first."""
        prices = (_shut_out_below(model) for model in snapshot.models if _is_odd(model) and self._costs_more(model))
        return min(prices, default=Decimal(1)) - _STEP / MILLION

    def _costs_more(self, model: Model) -> bool:
        written = answer_at_most(model, self.tokens) or self.tokens
        load = Load(self._prompt.tokens, written, self._web, self._prompt.media)
        try:
            return cost_at_most(model, model.id, load, datetime.now(UTC)) > self._usd
        except Unpriced:
            return False


def _is_odd(model: Model) -> bool:
    """Whether a model may cost more than the prices by which upstream chooses."""
    listed = model.pricing
    if listed is None or known(listed.prompt) is None or known(listed.completion) is None:
        return False
    return bool(listed.overrides) or _dearer_than_listed(listed, listed.prompt or _0, listed.completion or _0)


def _dearer_than_listed(listed: Pricing, prompt: Decimal, completion: Decimal) -> bool:
    more = (
        (listed.input_cache_write, prompt * _CACHE_WRITE),
        (listed.internal_reasoning, completion),
        (listed.image_token, prompt),
        (listed.web_search, _DEAREST_SEARCH),
    )
    return any(price is not None and price > usual for price, usual in more)


def _shut_out_below(model: Model) -> Decimal:
    """The price of an input token, or a fifth of an output token's, below which a model is surely shut out.

    Whether upstream compares the usual prices, or those of the hour and the prompt's size, is nowhere said.
    """
    listed = (model.pricing, *model.pricing.overrides) if model.pricing else ()
    read = min((price for each in listed if (price := known(each.prompt)) is not None), default=_0)
    written = min((price for each in listed if (price := known(each.completion)) is not None), default=_0)
    return max(read, written / _OUTPUT_TO_INPUT)


_0 = Decimal(0)
