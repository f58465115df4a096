"""What speech and transcripts will cost: by the model's own row, whose words do not say what they count."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from or_mcp.catalogue.costs import Unpriced, priced_model
from or_mcp.catalogue.prices import Estimate
from or_mcp.catalogue.rates import known
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.wire.models import Model

# Fifteen characters are said in a second, and slowly five; a second is 20 to 32 tokens of sound, and at most 50.
_FAST, _SLOW = 15, 5
_TOKENS, _MORE_TOKENS, _MOST_TOKENS = 10, 32, 50
# Said in a second: three words usually, and at most so many tokens; and what any answer has beside.
_SAID, _SAID_AT_MOST, _BESIDE = 4, 10, 200


@dataclass(frozen=True, slots=True)
class Length:
    """How long a sound is: usually and at most; None where nobody knows."""

    seconds: Decimal | None
    at_most: Decimal | None


@dataclass(frozen=True, slots=True)
class _Prices:
    """USD per token of text and of sound, in and out, and per request: all the dearest of the row."""

    read: Decimal
    heard: Decimal
    written: Decimal
    spoken: Decimal
    request: Decimal


def estimate_speech(snapshot: Snapshot, slug: str, tokens: int, characters: int) -> Estimate:
    """The cost of saying a text. Some models count its tokens, others its characters."""
    try:
        price = _prices(snapshot, slug)
    except Unpriced as reason:
        return Estimate.of_nobody(str(reason))
    sound = max(price.spoken, price.written)
    fast, slow = Decimal(characters) / _FAST + 1, Decimal(characters) / _SLOW + 5
    return Estimate(
        price.request + price.read * tokens + sound * _TOKENS * fast,
        price.request + price.read * max(tokens, characters) + sound * _MORE_TOKENS * slow,
        price.request + price.read * max(tokens, characters) * 2 + sound * _MOST_TOKENS * slow,
    )


def estimate_transcript(snapshot: Snapshot, slug: str, length: Length) -> Estimate:
    """The cost of writing down a sound."""
    try:
        price = _prices(snapshot, slug)
    except Unpriced as reason:
        return Estimate.of_nobody(str(reason))
    if length.at_most is None:
        return Estimate.of_nobody("nobody knows how long the sound is")
    heard = max(price.heard, price.read)
    usual = length.seconds if length.seconds is not None else length.at_most
    return Estimate(
        price.request + heard * _TOKENS * usual,
        price.request + heard * _MORE_TOKENS * usual + price.written * (_SAID * usual + _BESIDE),
        price.request
        + heard * _MOST_TOKENS * (length.at_most + 1)
        + price.written * (_SAID_AT_MOST * length.at_most + _BESIDE),
    )


def _prices(snapshot: Snapshot, slug: str) -> _Prices:
    model = priced_model(snapshot, slug)
    names = ("prompt", "audio", "completion", "audio_output", "request")
    read, heard, written, spoken, request = (_dearest(model, name) for name in names)
    if not any((read, heard, written, spoken, request)) and not slug.endswith(":free"):
        raise Unpriced(f"{slug}: it is listed at nothing, which for its kind means that its price is not listed")
    return _Prices(read, heard, written, spoken, request)


def _dearest(model: Model, name: str) -> Decimal:
    """The dearest that a price of the row can be.

    Raises:
        Unpriced: It depends on something.
    """
    rows = (model.pricing, *model.pricing.overrides) if model.pricing else ()
    given = [price for row in rows if (price := getattr(row, name)) is not None]
    if any(known(price) is None for price in given):
        raise Unpriced(f"{model.id}: its price depends on something")
    return max(given, default=Decimal(0))
