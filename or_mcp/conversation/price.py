"""What a turn can cost, and the limits that it is sent with so that this is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal

from or_mcp.catalogue.prices import (
    LONG_ANSWER_TOKENS,
    SEARCHES,
    UNREAD,
    Estimate,
    Prompt,
    estimate_completion,
    longest_answer,
    output_that_fits,
)
from or_mcp.catalogue.rates import MILLION
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.web import FETCH_USD, NO_WEB, STEP_TOKENS, WebUse
from or_mcp.conversation.turn import Caps, Turn
from or_mcp.openrouter.wire.models import Model
from or_mcp.openrouter.wire.routing import MaxPrice
from or_mcp.runs.budget import Room

# An answer that is cut at fewer tokens than this is of no use: reasoning counts among them.
_LEAST_TOKENS, _LEAST_TOKENS_REASONING = 500, 2_000
# Of what many calls share, one takes no more than this part for an answer longer than usual.
_SHARE = Decimal("0.1")
# Where nobody knows who will answer: an output token usually costs five times an input token, a cache may be written at
# 1.25 times the price, and no search that is known costs more than this.
_OUTPUT_TO_INPUT, _CACHE_WRITE, _DEAREST_SEARCH = 5, Decimal("1.25"), Decimal("0.035")
# Below the first, no good model can be had, and below the second none: USD per input token.
_GOOD_PRICE, _LEAST_PRICE = Decimal(3) / MILLION, Decimal("0.02") / MILLION
# A hundredth of the money is for those who charge by the request, and for pictures as much again each.
_PART = Decimal("0.01")
_PRICE_STEP = Decimal("0.000001")
# Asking once more for JSON sends the first answer back, with a few words.
_REPAIR_WORDS = 500


@dataclass(frozen=True, slots=True)
class Sizes:
    """A prompt as it usually counts, and at most."""

    usual: Prompt
    at_most: Prompt


@dataclass(frozen=True, slots=True)
class Price:
    """The estimate, the limits it stands on, whether an answer may be repaired once, and by what it is limited."""

    estimate: Estimate
    caps: Caps
    repairs: bool = False
    limited: str = ""


def bound(turn: Turn, sizes: Sizes, snapshot: Snapshot | None, room: Room) -> Price:
    """What the turn costs at most. An answer whose length the caller did not choose is limited to what fits."""
    if snapshot is None:
        return _by_price(turn, sizes, room, UNREAD)
    asking = _Asking(turn, sizes, snapshot, room)
    first = asking.estimate(turn.max_output_tokens)
    if not first.known:
        return _by_price(turn, sizes, room, first)
    tokens = turn.max_output_tokens or asking.fitting()
    caps = Caps(tokens, asking.web, room.usd)
    limited = _limited(turn, tokens, asking.longest, room)
    twice = asking.twice(tokens) if turn.json_schema is not None else None
    if twice is not None and twice.most is not None and (room.usd is None or twice.most <= room.usd):
        return Price(twice, caps, repairs=True, limited=limited)
    return Price(asking.estimate(tokens), caps, limited=limited)


@dataclass(frozen=True, slots=True)
class _Asking:
    turn: Turn
    sizes: Sizes
    snapshot: Snapshot
    room: Room

    @property
    def web(self) -> WebUse:
        """The limits of a search, where the caller wants one."""
        return WebUse(searches=SEARCHES) if self.turn.web else NO_WEB

    @property
    def longest(self) -> int | None:
        """As much as every model that may answer can write beside the prompt."""
        found = (self.snapshot.find(slug) for slug in self.turn.models)
        able = (_beside(model, self.sizes) for model in found if model is not None)
        return min((tokens for tokens in able if tokens is not None), default=None)

    def estimate(self, tokens: int | None) -> Estimate:
        """The cost of one answer of up to so many tokens."""
        return self._estimate(self.sizes, tokens)

    def twice(self, tokens: int | None) -> Estimate | None:
        """The cost of an answer and of one more, which reads the first; None where the first has no limit."""
        if tokens is None:
            return None
        more = tokens + _REPAIR_WORDS
        again = Sizes(_longer(self.sizes.usual, more), _longer(self.sizes.at_most, more))
        first, second = self.estimate(tokens), self._estimate(again, tokens)
        return replace(first, high=_sum(first.high, second.high), most=_sum(first.most, second.most))

    def fitting(self) -> int | None:
        """The longest answer that may be asked for; the least that is of use, where not even that fits."""
        longest, usd = self.longest, self.room.usd
        if usd is None:
            return longest
        shared = self.room.shared_usd
        generous = self._fitting(longest, usd if shared is None else min(usd, shared * _SHARE))
        wanted = min(LONG_ANSWER_TOKENS, longest or LONG_ANSWER_TOKENS)
        if generous >= wanted:
            return generous
        return max(min(wanted, self._fitting(wanted, usd)), min(wanted, self._least))

    def _fitting(self, longest: int | None, usd: Decimal) -> int:
        most = self.estimate(longest).most
        if longest is not None and most is not None and most <= usd:
            return longest
        fits = output_that_fits(self.snapshot, self.turn.models, self.sizes.at_most, self.web, usd)
        able = longest or LONG_ANSWER_TOKENS
        # Nothing is charged for what can be written without end.
        return able if fits is None else min(fits, able)

    @property
    def _least(self) -> int:
        model = self.snapshot.find(self.turn.model)
        reasons = model is not None and "reasoning" in model.supported_parameters
        return _LEAST_TOKENS_REASONING if reasons else _LEAST_TOKENS

    def _estimate(self, sizes: Sizes, tokens: int | None) -> Estimate:
        return estimate_completion(
            self.snapshot, self.turn.models, sizes.usual, sizes.at_most, max_output_tokens=tokens, web=self.web
        )


def _beside(model: Model, sizes: Sizes) -> int | None:
    """What a model can write with this prompt before it: some providers refuse a limit that the context cannot hold."""
    longest, context = longest_answer(model), model.context_length
    if longest is None or context is None:
        return longest
    surely, hardly = context - sizes.at_most.tokens, context - sizes.usual.tokens
    return min(longest, max(surely, min(_LEAST_TOKENS_REASONING, hardly), 1))


def _longer(prompt: Prompt, tokens: int) -> Prompt:
    return replace(prompt, tokens=prompt.tokens + tokens)


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _limited(turn: Turn, tokens: int | None, longest: int | None, room: Room) -> str:
    """By what an answer is limited that the caller did not limit."""
    if turn.max_output_tokens is not None or tokens is None or tokens == longest:
        return ""
    return f"limited to {tokens:,} tokens by {room.by}" if room.by else ""


def _by_price(turn: Turn, sizes: Sizes, room: Room, first: Estimate) -> Price:
    """Where the price is unknown, upstream is told the dearest that may answer: times the limits, that is the most."""
    web = WebUse(searches=SEARCHES) if turn.web else NO_WEB
    if room.usd is None:
        return Price(first, Caps(turn.max_output_tokens, web))
    shared = room.shared_usd
    targets = [room.usd] if shared is None else [min(room.usd, shared * _SHARE), room.usd]
    offers = [_Offer(turn, sizes, web, usd, tokens) for usd in targets for tokens in _lengths(turn)]
    offer = next((each for each in offers if each.input_price >= _GOOD_PRICE), offers[-1])
    caps = Caps(offer.tokens, web, room.usd, offer.max_price())
    most = None if sizes.at_most.media.audio_tokens else offer.most
    notes = (f"Only models of up to ${offer.input_price * MILLION:.2f} a million input tokens may answer ({room.by}).",)
    return Price(replace(first, most=most, notes=notes), caps, limited=_limited(turn, offer.tokens, None, room))


def _lengths(turn: Turn) -> Iterator[int]:
    """The answer's length as the caller chose it, else shorter and shorter ones."""
    if turn.max_output_tokens is not None:
        yield turn.max_output_tokens
        return
    tokens = LONG_ANSWER_TOKENS
    while tokens >= _LEAST_TOKENS_REASONING:
        yield tokens
        tokens //= 2


@dataclass(frozen=True, slots=True)
class _Offer:
    """So many tokens for so much money, whoever answers."""

    turn: Turn
    sizes: Sizes
    web: WebUse
    usd: Decimal
    tokens: int

    @property
    def input_price(self) -> Decimal:
        """The dearest an input token may be."""
        price = (self.usd - self._fees - self._requests) / self._weight
        return max(price.quantize(_PRICE_STEP / MILLION, ROUND_FLOOR), _LEAST_PRICE)

    @property
    def most(self) -> Decimal:
        """What it comes to."""
        return self.input_price * self._weight + self._fees + self._requests

    def max_price(self) -> MaxPrice:
        """What upstream is told."""
        prompt = self.input_price * MILLION
        return MaxPrice(
            prompt=prompt,
            completion=prompt * _OUTPUT_TO_INPUT,
            request=self._each,
            image=self._each if self._images else None,
        )

    @property
    def _weight(self) -> Decimal:
        """Everything that is read and written, as input tokens."""
        steps = range(self.web.steps + 1)
        read = sum(self.sizes.at_most.tokens + self.web.read_at_most_by(step) for step in steps)
        return _CACHE_WRITE * read + _OUTPUT_TO_INPUT * (self.tokens + self.web.steps * STEP_TOKENS)

    @property
    def _fees(self) -> Decimal:
        return self.web.searches * _DEAREST_SEARCH + self.web.fetches * FETCH_USD

    @property
    def _images(self) -> int:
        return self.sizes.at_most.media.images

    @property
    def _each(self) -> Decimal:
        """What one request may ask for being made, and for each picture in it."""
        return (self.usd * _PART / (self.web.steps + 1)).quantize(_PRICE_STEP, ROUND_FLOOR)

    @property
    def _requests(self) -> Decimal:
        return self._each * (self.web.steps + 1) * (1 + self._images)
