"""What a call will cost, before it is made: usually between low and high, and at most; or why nobody can know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal

from or_mcp.catalogue.costs import NO_MEDIA, Load, Media, Unpriced, cost, cost_at_most, priced_model, rates_of
from or_mcp.catalogue.rates import MILLION, Cache, known, makes, rates_at_most
from or_mcp.catalogue.slugs import Slug
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.web import NO_WEB, WebUse
from or_mcp.openrouter.wire.models import Model

# A few paragraphs, and a long answer with its reasoning: between them lies what is usual.
SHORT_ANSWER_TOKENS = 300
LONG_ANSWER_TOKENS = 16_000
# How often a model may search for one answer.
SEARCHES = 3
# What the writer of a fusion spends on calling the panel, and the least that anyone is likely to write.
_CALL_TOKENS = 200
_SHORT_REPLY, _SHORT_ANALYSIS, _SHORT_ANSWER = 500, 1_000, 500
# The analyst writes a short JSON, whatever the panel is allowed.
_LONG_ANALYSIS = 4_000
# Upstream's own words to panel and analyst; nobody outside has seen them all.
_UPSTREAM_WORDS = 1_000
# A few pictures, or some minutes of sound.
_PICTURE_TOKENS = 8_000
_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model reads, in tokens."""

    tokens: int
    media: Media = NO_MEDIA
    cache: Cache = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """USD: usually between low and high, and never above most.

    Low and high are None when some price is `unknown`, for these reasons; most is None when nothing bounds it.
    """

    low: Decimal | None
    high: Decimal | None
    most: Decimal | None
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there are figures of what it usually costs."""
        return not self.unknown

    @classmethod
    def of_nobody(cls, *reasons: str) -> Estimate:
        """Nobody can know, for these reasons."""
        return cls(None, None, None, reasons)


NOTHING = Estimate(Decimal(0), Decimal(0), Decimal(0))


def per_million(price: Decimal | None) -> Decimal | None:
    """USD per million tokens; None when it is unknown or depends."""
    found = known(price)
    return None if found is None else found * MILLION


def estimate_completion(
    snapshot: Snapshot,
    slugs: Iterable[str],
    usual: Prompt,
    at_most: Prompt,
    *,
    max_output_tokens: int | None,
    web: WebUse,
    now: datetime | None = None,
) -> Estimate:
    """The cost of one answer: between a short one by the cheapest and the longest by the dearest of the models."""
    moment = now or datetime.now(UTC)
    each = [_completion(snapshot, slug, usual, at_most, max_output_tokens, web, moment) for slug in slugs]
    unknown = tuple(dict.fromkeys(reason for estimate in each for reason in estimate.unknown))
    if unknown:
        return Estimate.of_nobody(*unknown)
    bounds = [estimate.most for estimate in each]
    return Estimate(
        min(estimate.low for estimate in each if estimate.low is not None),
        max(estimate.high for estimate in each if estimate.high is not None),
        None if None in bounds else max(bound for bound in bounds if bound is not None),
    )


def _completion(
    snapshot: Snapshot, slug: str, usual: Prompt, at_most: Prompt, limit: int | None, web: WebUse, now: datetime
) -> Estimate:
    try:
        model = priced_model(snapshot, slug)
        web = _web_of(slug, web)
        likely = min(limit or LONG_ANSWER_TOKENS, longest_answer(model) or LONG_ANSWER_TOKENS)
        # Whoever is asked for a picture or for sound is not asked for pages.
        likely = min(likely, _beside(model) or likely)
        found: Cache = "read" if usual.cache else ""
        short = Load(usual.tokens, min(SHORT_ANSWER_TOKENS, likely), media=usual.media, cache=found)
        long = Load(usual.tokens, likely, web, usual.media, cache=usual.cache)
        bound = answer_at_most(model, limit)
        written = None if bound is None else bound + _beside(model)
        most = None if written is None else cost_at_most(model, slug, _longest_of(model, at_most, written, web), now)
        return Estimate(cost(model, slug, short, now), cost(model, slug, long, now), most)
    except Unpriced as reason:
        return Estimate.of_nobody(str(reason))


def _longest_of(model: Model, at_most: Prompt, written: int, web: WebUse) -> Load:
    return Load(_readable(model, at_most), written, web, at_most.media, cache=at_most.cache)


def _readable(model: Model, at_most: Prompt) -> int:
    """What does not fit into a model's context is refused, and costs nothing."""
    return min(at_most.tokens, model.context_length or at_most.tokens)


def _web_of(slug: str, web: WebUse) -> WebUse:
    """A name ending in `:online` searches by itself."""
    return replace(web, searches=max(web.searches, SEARCHES)) if Slug.read(slug).variant == "online" else web


def longest_answer(model: Model) -> int | None:
    """How much a model can write at once."""
    able = model.top_provider.max_completion_tokens if model.top_provider else None
    return able or model.context_length


def _beside(model: Model) -> int:
    """Tokens that no limit of words is known to hold back."""
    return _PICTURE_TOKENS if makes(model) & {"image", "audio"} else 0


def answer_at_most(model: Model, limit: int | None) -> int | None:
    """How much a model will write at most under a limit: some take none, and it is dropped on the way to them."""
    able, takes = longest_answer(model), frozenset(model.supported_parameters)
    if limit is None or (takes and not takes & _LIMITS):
        return able
    return limit if able is None else min(limit, able)


def output_that_fits(
    snapshot: Snapshot, slugs: Iterable[str], at_most: Prompt, web: WebUse, usd: Decimal, now: datetime | None = None
) -> int | None:
    """How many output tokens can be had for so much, whichever model answers; None when nobody knows or it is free."""
    moment = now or datetime.now(UTC)
    fits = [_fits(snapshot, slug, at_most, _web_of(slug, web), usd, moment) for slug in slugs]
    return min((tokens for tokens in fits if tokens is not None), default=None)


def _fits(snapshot: Snapshot, slug: str, at_most: Prompt, web: WebUse, usd: Decimal, now: datetime) -> int | None:
    try:
        model = priced_model(snapshot, slug)
        read = _readable(model, at_most)
        price = rates_of(model, slug, read + web.read_at_most_by(web.steps), now, rates_at_most).output
        left = usd - cost_at_most(model, slug, _longest_of(model, at_most, _beside(model), web), now)
    except Unpriced:
        return None
    return max(0, int((left / price).to_integral_value(ROUND_FLOOR))) if price else None


def estimate_embedding(snapshot: Snapshot, slug: str, tokens: int, tokens_at_most: int, requests: int) -> Estimate:
    """The cost of turning this many tokens into vectors, with so many requests."""
    now = datetime.now(UTC)
    try:
        model = priced_model(snapshot, slug)
        usual = cost(model, slug, Load(tokens, 0, requests=requests), now)
        return Estimate(usual, usual, cost_at_most(model, slug, Load(tokens_at_most, 0, requests=requests), now))
    except Unpriced as reason:
        return Estimate.of_nobody(str(reason))


@dataclass(frozen=True, slots=True)
class FusionShape:
    """The models of a fusion and how much each may do."""

    panel: tuple[str, ...]
    analyst: str
    writer: str
    web: WebUse
    completion_tokens: int
    answer_tokens: int
    question_tokens: int
    question_at_most: int


def estimate_fusion(snapshot: Snapshot, shape: FusionShape, now: datetime | None = None) -> Estimate:
    """Low: short replies with no web steps. High: the panel writes all it may. Most: the analyst does so too."""
    moment = now or datetime.now(UTC)
    try:
        return Estimate(
            sum((_priced(snapshot, slug, load, moment) for slug, load in _shortest(shape)), Decimal(0)),
            sum((_priced(snapshot, slug, load, moment) for slug, load in _usual(shape)), Decimal(0)),
            sum((_priced_at_most(snapshot, slug, load, moment) for slug, load in _longest(shape)), Decimal(0)),
        )
    except Unpriced:
        return Estimate.of_nobody(*_unknown(snapshot, shape, moment))


def _shortest(shape: FusionShape) -> list[tuple[str, Load]]:
    limit = shape.completion_tokens
    reply, analysis = min(_SHORT_REPLY, limit), min(_SHORT_ANALYSIS, limit)
    return _works(shape, shape.question_tokens, reply, analysis, min(_SHORT_ANSWER, shape.answer_tokens))


def _usual(shape: FusionShape) -> list[tuple[str, Load]]:
    limit = shape.completion_tokens
    analysis = min(_LONG_ANALYSIS, limit)
    return _works(shape, shape.question_tokens, limit, analysis, shape.answer_tokens, panel_web=shape.web)


def _longest(shape: FusionShape) -> list[tuple[str, Load]]:
    limit, question = shape.completion_tokens, shape.question_at_most + _UPSTREAM_WORDS
    return _works(
        shape,
        question,
        limit,
        limit,
        shape.answer_tokens,
        panel_web=shape.web,
        analyst_web=shape.web,
        # To call the panel the writer writes the question out.
        call=min(shape.question_at_most + _CALL_TOKENS, shape.answer_tokens),
    )


def _works(
    shape: FusionShape,
    question: int,
    reply: int,
    analysis: int,
    answer: int,
    *,
    panel_web: WebUse = NO_WEB,
    analyst_web: WebUse = NO_WEB,
    call: int = _CALL_TOKENS,
) -> list[tuple[str, Load]]:
    """Who does what: the panel, the analyst over its replies, and the writer before and after."""
    replies = len(shape.panel) * reply
    return [
        *((slug, Load(question, reply, panel_web)) for slug in shape.panel),
        (shape.analyst, Load(question + replies, analysis, analyst_web)),
        (shape.writer, Load(question, call)),
        (shape.writer, Load(question + call + replies + analysis, answer)),
    ]


def _priced(snapshot: Snapshot, slug: str, load: Load, now: datetime) -> Decimal:
    return cost(priced_model(snapshot, slug), slug, load, now)


def _priced_at_most(snapshot: Snapshot, slug: str, load: Load, now: datetime) -> Decimal:
    model = priced_model(snapshot, slug)
    written = answer_at_most(model, load.output_tokens) or load.output_tokens
    return cost_at_most(model, slug, Load(load.prompt_tokens, written, load.web), now)


def _unknown(snapshot: Snapshot, shape: FusionShape, now: datetime) -> tuple[str, ...]:
    reasons: list[str] = []
    for slug in dict.fromkeys((*shape.panel, shape.analyst, shape.writer)):
        try:
            _priced(snapshot, slug, Load(shape.question_tokens, 0), now)
        except Unpriced as reason:
            reasons.append(str(reason))
    return tuple(reasons)
