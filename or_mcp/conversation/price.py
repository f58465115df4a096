"""What a turn can cost, and the limits that it is sent with so that this is true."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from or_mcp.catalogue.prices import (
    LONG_ANSWER_TOKENS,
    SEARCHES,
    Estimate,
    Prompt,
    estimate_completion,
    longest_answer,
    output_that_fits,
)
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.web import NO_WEB, WebUse
from or_mcp.conversation.turn import Caps, Turn
from or_mcp.conversation.unpriced import LEAST_REASONING, SHARE, Sizes, offer_for
from or_mcp.openrouter.wire.models import Model
from or_mcp.runs.budget import Room

# An answer that is cut at fewer tokens than this is of no use, from a model that does not reason.
_LEAST = 500
# Asking once more for JSON sends the first answer back, with a few words.
_REPAIR_WORDS = 500


@dataclass(frozen=True, slots=True)
class Price:
    """The estimate, the limits it stands on, whether an answer may be repaired once, and by what it is limited."""

    estimate: Estimate
    caps: Caps
    repairs: bool = False
    limited: str = ""

    def fits(self, room: Room) -> bool:
        """Whether there is room for it."""
        most = self.estimate.most
        return room.usd is None or (most is not None and most <= room.usd)


def bound(turn: Turn, sizes: Sizes, snapshot: Snapshot, room: Room) -> Price:
    """What the turn costs at most. What the caller did not choose is limited to what fits: length, then searches."""
    web = _web(turn)
    price = _bound(turn, sizes, snapshot, room, web)
    for searches in () if turn.max_searches else range(web.searches - 1, 0, -1):
        if price.fits(room):
            break
        price = _bound(turn, sizes, snapshot, room, replace(web, searches=searches))
        price = replace(price, limited=f"limited to {searches} of {SEARCHES} searches by {room.by}")
    return price


def _web(turn: Turn) -> WebUse:
    """How a turn may search: where it was not said how often, as often as is usual."""
    if not turn.web:
        return NO_WEB
    return WebUse(turn.max_searches or SEARCHES, only=turn.web_only, never=turn.web_never)


def _bound(turn: Turn, sizes: Sizes, snapshot: Snapshot, room: Room, web: WebUse) -> Price:
    asking = _Asking(turn, sizes, snapshot, room, web)
    first = asking.estimate(turn.max_output_tokens)
    if not first.known:
        return _by_price(turn, sizes, snapshot, room, web, first)
    tokens = turn.max_output_tokens or asking.fitting()
    caps = Caps(tokens, web, room.usd)
    limited = _limited(turn, tokens, asking.longest, room)
    if turn.json_schema is not None and (twice := asking.twice(tokens)) is not None:
        repaired = Price(twice, caps, repairs=True, limited=limited)
        if repaired.fits(room):
            return repaired
    return Price(asking.estimate(tokens), caps, limited=limited)


def _by_price(turn: Turn, sizes: Sizes, snapshot: Snapshot, room: Room, web: WebUse, first: Estimate) -> Price:
    """Where the price is unknown, upstream is told the dearest that may answer: times the limits, that is the most."""
    if room.usd is None:
        return Price(first, Caps(turn.max_output_tokens, web))
    offer = offer_for(sizes, web, snapshot, room, turn.max_output_tokens)
    caps = Caps(offer.tokens, web, room.usd, offer.max_price())
    most = None if sizes.at_most.media.audio_tokens else offer.most
    estimate = replace(first, most=most, notes=(offer.told(room.by),))
    return Price(estimate, caps, limited=_limited(turn, offer.tokens, None, room))


@dataclass(frozen=True, slots=True)
class _Asking:
    turn: Turn
    sizes: Sizes
    snapshot: Snapshot
    room: Room
    web: WebUse

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
        generous = self._fitting(longest, usd if shared is None else min(usd, shared * SHARE))
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
        return LEAST_REASONING if model is not None and "reasoning" in model.supported_parameters else _LEAST

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
    return min(longest, max(surely, min(LEAST_REASONING, hardly), 1))


def _longer(prompt: Prompt, tokens: int) -> Prompt:
    return replace(prompt, tokens=prompt.tokens + tokens)


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _limited(turn: Turn, tokens: int | None, longest: int | None, room: Room) -> str:
    """By what an answer is limited that the caller did not limit."""
    if turn.max_output_tokens is not None or tokens is None or tokens == longest:
        return ""
    return f"limited to {tokens:,} tokens by {room.by}" if room.by else ""
