"""What a call will cost, before it is made: a low and a high figure, or the reason why nobody can know."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal

from or_mcp.catalogue.costs import Unpriced, Work, cost, priced_model, rates_of
from or_mcp.catalogue.rates import MILLION, known
from or_mcp.catalogue.slugs import Slug
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.wire.models import Model

SHORT_ANSWER_TOKENS = 300
LONG_ANSWER_TOKENS = 16_000
SEARCHES = 3
# What a model writes to ask for one search.
STEP_TOKENS = 150
DOCUMENTS_PER_UNIT = 100
# What the writer of a fusion spends on calling the panel, and the least that anyone is likely to write.
_CALL_TOKENS = 200
_SHORT_REPLY, _SHORT_ANALYSIS, _SHORT_ANSWER = 500, 1_000, 500
# The analyst writes a short JSON, whatever the panel is allowed.
_LONG_ANALYSIS = 4_000

_WIDE = re.compile(
    r"[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+"
)


@dataclass(frozen=True, slots=True)
class FusionShape:
    """The models of a fusion and how much each may do."""

    panel: tuple[str, ...]
    analyst: str
    writer: str
    steps: int
    completion_tokens: int
    question_tokens: int
    answer_tokens: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """USD between low and high; both are None when some price is `unknown`, for these reasons."""

    low: Decimal | None
    high: Decimal | None
    unknown: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there are figures."""
        return not self.unknown


def per_million(price: Decimal | None) -> Decimal | None:
    """USD per million tokens; None when it is unknown or depends."""
    found = known(price)
    return None if found is None else found * MILLION


def count_tokens(text: str) -> int:
    """About how many tokens a text has: four characters each, or one and a half where characters are syllables."""
    wide = 0 if text.isascii() else sum(len(run) for run in _WIDE.findall(text))
    return -(-(len(text) - wide) // 4) + -(-wide * 2 // 3)


def estimate_completion(
    snapshot: Snapshot,
    slug: str,
    *,
    prompt_tokens: int,
    max_output_tokens: int | None,
    web: bool,
    now: datetime | None = None,
    fallbacks: tuple[str, ...] = (),
) -> Estimate:
    """The cost of one answer: between a short one by the cheapest and the longest by the dearest of the models."""
    moment = now or datetime.now(UTC)
    estimates = [
        _completion(snapshot, name, prompt_tokens, max_output_tokens, moment, web=web) for name in (slug, *fallbacks)
    ]
    unknown = _merged(estimates)
    if unknown:
        return Estimate(None, None, unknown)
    return Estimate(
        min(estimate.low for estimate in estimates if estimate.low is not None),
        max(estimate.high for estimate in estimates if estimate.high is not None),
    )


def _completion(
    snapshot: Snapshot, slug: str, prompt_tokens: int, limit: int | None, now: datetime, *, web: bool
) -> Estimate:
    try:
        model = priced_model(snapshot, slug)
        longest = _longest_answer(model, limit)
        searches = SEARCHES if web or Slug.read(slug).variant == "online" else 0
        short = Work(prompt_tokens, min(SHORT_ANSWER_TOKENS, longest))
        long = Work(prompt_tokens, longest + searches * STEP_TOKENS, searches)
        return Estimate(cost(model, slug, short, now), cost(model, slug, long, now))
    except Unpriced as reason:
        return Estimate(None, None, (str(reason),))


def output_ceiling(
    snapshot: Snapshot,
    slug: str,
    *,
    prompt_tokens: int,
    ceiling: Decimal,
    now: datetime | None = None,
    fallbacks: tuple[str, ...] = (),
) -> int | None:
    """How many output tokens fit under a ceiling, whichever model answers; None when nobody knows or it is free."""
    fits = [_fits(snapshot, name, prompt_tokens, ceiling, now or datetime.now(UTC)) for name in (slug, *fallbacks)]
    return min((tokens for tokens in fits if tokens is not None), default=None)


def _fits(snapshot: Snapshot, slug: str, prompt_tokens: int, ceiling: Decimal, now: datetime) -> int | None:
    try:
        model = priced_model(snapshot, slug)
        price = rates_of(model, slug, prompt_tokens, now).output
        left = ceiling - cost(model, slug, Work(prompt_tokens, 0), now)
    except Unpriced:
        return None
    return max(0, int((left / price).to_integral_value(ROUND_FLOOR))) if price else None


def estimate_embedding(snapshot: Snapshot, slug: str, tokens: int) -> Estimate:
    """The cost of turning this many tokens into vectors."""
    try:
        figure = cost(priced_model(snapshot, slug), slug, Work(tokens, 0), datetime.now(UTC))
    except Unpriced as reason:
        return Estimate(None, None, (str(reason),))
    return Estimate(figure, figure)


def estimate_rerank(snapshot: Snapshot, slug: str, documents: int) -> Estimate:
    """The cost of ordering this many documents, where it is charged by the request."""
    try:
        model = priced_model(snapshot, slug)
        found = rates_of(model, slug, 0, datetime.now(UTC))
    except Unpriced as reason:
        return Estimate(None, None, (str(reason),))
    if found.request:
        return Estimate(found.request, found.request * max(1, -(-documents // DOCUMENTS_PER_UNIT)))
    if model.id.endswith(":free") and not found.prompt:
        return Estimate(Decimal(0), Decimal(0))
    return Estimate(None, None, (f"{slug}: no price per request is listed",))


def _longest_answer(model: Model, limit: int | None) -> int:
    able = model.top_provider.max_completion_tokens if model.top_provider else None
    able = able or model.context_length
    wanted = limit or LONG_ANSWER_TOKENS
    return min(wanted, able) if able else wanted


def _merged(estimates: Iterable[Estimate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason for estimate in estimates for reason in estimate.unknown))


@dataclass(frozen=True, slots=True)
class _Amount:
    """How much is written at each place."""

    reply: int
    analysis: int
    answer: int
    steps: int


def estimate_fusion(snapshot: Snapshot, shape: FusionShape, now: datetime | None = None) -> Estimate:
    """Low: short replies with no web steps. High: the panel writes all it may, once, after every step."""
    moment = now or datetime.now(UTC)
    limit = shape.completion_tokens
    short = _Amount(
        reply=min(_SHORT_REPLY, limit),
        analysis=min(_SHORT_ANALYSIS, limit),
        answer=min(_SHORT_ANSWER, shape.answer_tokens),
        steps=0,
    )
    long = _Amount(reply=limit, analysis=min(_LONG_ANALYSIS, limit), answer=shape.answer_tokens, steps=shape.steps)
    unknown = _unknown(snapshot, shape, moment)
    if unknown:
        return Estimate(None, None, unknown)
    return Estimate(_total(snapshot, shape, short, moment), _total(snapshot, shape, long, moment))


def _total(snapshot: Snapshot, shape: FusionShape, amount: _Amount, now: datetime) -> Decimal:
    return sum((_cost(snapshot, slug, work, now) for slug, work in _works(shape, amount)), Decimal(0))


def _works(shape: FusionShape, amount: _Amount) -> list[tuple[str, Work]]:
    """Who does what: the panel, the analyst over its replies, and the writer before and after."""
    question = shape.question_tokens
    replies = len(shape.panel) * amount.reply
    panelist = Work(question, amount.reply + amount.steps * STEP_TOKENS, amount.steps)
    return [
        *((slug, panelist) for slug in shape.panel),
        (shape.analyst, Work(question + replies, amount.analysis)),
        (shape.writer, Work(question, _CALL_TOKENS)),
        (shape.writer, Work(question + _CALL_TOKENS + replies + amount.analysis, amount.answer)),
    ]


def _cost(snapshot: Snapshot, slug: str, work: Work, now: datetime) -> Decimal:
    return cost(priced_model(snapshot, slug), slug, work, now)


def _unknown(snapshot: Snapshot, shape: FusionShape, now: datetime) -> tuple[str, ...]:
    reasons: list[str] = []
    for slug in dict.fromkeys((*shape.panel, shape.analyst, shape.writer)):
        try:
            _cost(snapshot, slug, Work(shape.question_tokens, 0), now)
        except Unpriced as reason:
            reasons.append(str(reason))
    return tuple(reasons)
