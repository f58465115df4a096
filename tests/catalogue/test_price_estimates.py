"""Prices in force, and what calls will cost."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mcp.catalogue.costs import FETCH_USD, SEARCH_TOKENS
from or_mcp.catalogue.prices import (
    Estimate,
    FusionShape,
    count_tokens,
    estimate_completion,
    estimate_embedding,
    estimate_fusion,
    estimate_rerank,
    output_ceiling,
    per_million,
)
from or_mcp.catalogue.rates import rates
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.wire.models import Model, PriceOverride, Pricing

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # a Saturday
OPUS = "anthropic/claude-opus-5"
PANEL = ("~anthropic/claude-opus-latest", "~openai/gpt-sol-latest", "~google/gemini-pro-latest")


def at(clock: int, day: int = 21) -> datetime:
    return datetime(2026, 11, day, clock // 100, clock % 100, tzinfo=UTC)


def pricing(*overrides: PriceOverride) -> Pricing:
    return Pricing(prompt=Decimal(1), completion=Decimal(2), overrides=overrides)


def windowed(start: int, end: int, *days: int | str) -> Pricing:
    return pricing(PriceOverride(utc_start=start, utc_end=end, utc_days=days or None, prompt=Decimal(9)))


def test_a_threshold_is_passed_only_by_more():
    prices = pricing(PriceOverride(min_prompt_tokens=200_000, prompt=Decimal(9)))
    assert rates(prices, 200_000, NOON).prompt == 1
    assert rates(prices, 200_001, NOON).prompt == 9


def test_later_overrides_win_key_by_key_and_missing_keys_inherit():
    prices = pricing(
        PriceOverride(min_prompt_tokens=10, prompt=Decimal(5), completion=Decimal(6)),
        PriceOverride(min_prompt_tokens=20, prompt=Decimal(7)),
    )
    assert (rates(prices, 15, NOON).prompt, rates(prices, 15, NOON).completion) == (5, 6)
    assert (rates(prices, 25, NOON).prompt, rates(prices, 25, NOON).completion) == (7, 6)


@pytest.mark.parametrize(("clock", "price"), [(1629, 1), (1630, 9), (2359, 9), (0, 9), (29, 9), (30, 1), (1200, 1)])
def test_a_window_is_half_open_and_may_wrap_midnight(clock: int, price: int):
    assert rates(windowed(1630, 30), 1, at(clock)).prompt == price


def test_windows_are_in_utc_whatever_zone_the_time_is_given_in():
    elsewhere = at(1630).astimezone(timezone(timedelta(hours=-7)))
    assert rates(windowed(1630, 1700), 1, elsewhere).prompt == 9


@pytest.mark.parametrize("saturday", [6, "6", "sat", "Saturday"])
def test_days_may_be_numbers_or_names(saturday: int | str):
    assert rates(windowed(0, 2400, saturday), 1, NOON).prompt == 9
    assert rates(windowed(0, 2400, saturday), 1, NOON + timedelta(days=1)).prompt == 1


def test_a_window_that_wraps_belongs_to_the_day_it_began_on():
    prices = windowed(2200, 200, "sat")
    assert rates(prices, 1, at(2300, 21)).prompt == 9
    assert rates(prices, 1, at(100, 22)).prompt == 9
    assert rates(prices, 1, at(100, 21)).prompt == 1
    assert rates(prices, 1, at(2300, 22)).prompt == 1


clocks = st.datetimes().map(lambda moment: moment.hour * 100 + moment.minute)


@given(start=clocks, end=clocks, clock=clocks)
def test_a_window_and_its_complement_cover_the_day_once(start: int, end: int, clock: int):
    inside = rates(windowed(start, end), 1, at(clock)).prompt == 9
    outside = rates(windowed(end, start), 1, at(clock)).prompt == 9
    assert (inside, outside) == (False, False) if start == end else inside != outside


@given(tokens=st.integers(0, 10**7), thresholds=st.lists(st.integers(0, 10**7), max_size=5))
def test_the_last_threshold_below_the_prompt_decides(tokens: int, thresholds: list[int]):
    entries = [PriceOverride(min_prompt_tokens=limit, prompt=Decimal(n + 10)) for n, limit in enumerate(thresholds)]
    passed = [n + 10 for n, limit in enumerate(thresholds) if tokens > limit]
    assert rates(pricing(*entries), tokens, NOON).prompt == (passed[-1] if passed else 1)


def test_a_price_that_depends_is_unknown_and_free_is_nothing():
    assert rates(Pricing(prompt=Decimal(-1), completion=Decimal(-1)), 1, NOON).prompt is None
    assert rates(Pricing(), 1, NOON).prompt is None
    assert rates(None, 1, NOON).completion is None
    assert rates(Pricing(prompt=Decimal(0), completion=Decimal(0)), 1, NOON).prompt == 0


def test_rows_show_prices_per_million():
    assert per_million(Decimal("0.0000025")) == Decimal("2.5")
    assert per_million(Decimal(0)) == 0
    assert per_million(Decimal(-1)) is None
    assert per_million(None) is None


def test_tokens_are_counted_by_script():
    assert count_tokens("") == 0
    assert count_tokens("a" * 400) == 100
    assert count_tokens("你好世界" * 300) == 800
    assert count_tokens("a" * 400 + "日本語" * 100) == 300


def test_counting_megabytes_takes_no_time():
    text = "hello wörld 你好 " * 300_000
    started = time.perf_counter()
    count_tokens(text)
    assert time.perf_counter() - started < 20


def completion(
    catalogue: Snapshot, slug: str, *fallbacks: str, limit: int | None = None, web: bool = False
) -> Estimate:
    return estimate_completion(
        catalogue, slug, prompt_tokens=1_000, max_output_tokens=limit, web=web, now=NOON, fallbacks=fallbacks
    )


def test_an_answer_costs_between_a_short_and_the_longest_one(catalogue: Snapshot):
    # 1000 x $5 and 300 or 16000 x $25 per million
    assert completion(catalogue, OPUS) == Estimate(Decimal("0.0125"), Decimal("0.405"))
    assert completion(catalogue, OPUS, limit=100) == Estimate(Decimal("0.0075"), Decimal("0.0075"))


def test_no_answer_is_longer_than_the_model_can_write(catalogue: Snapshot):
    # perplexity/sonar-pro writes 8000 tokens at most
    assert completion(catalogue, "perplexity/sonar-pro", limit=100_000).high == Decimal("0.003") + 8_000 * Decimal(
        "0.000015"
    )


def test_web_adds_searches_and_what_they_bring(catalogue: Snapshot):
    plain, web = completion(catalogue, OPUS), completion(catalogue, OPUS, web=True)
    assert plain.high is not None
    assert web.high is not None
    assert web.low == plain.low
    rereading = (3 * 1_000 + 6 * SEARCH_TOKENS) * Decimal("0.000005")
    writing = 3 * 150 * Decimal("0.000025")
    assert web.high - plain.high == rereading + writing + 3 * (Decimal("0.01") + FETCH_USD)
    assert completion(catalogue, f"{OPUS}:online") == web


def test_a_long_prompt_pays_the_price_for_long_prompts(catalogue: Snapshot):
    long = estimate_completion(
        catalogue, "qwen/qwen3-max", prompt_tokens=129_000, max_output_tokens=100, web=False, now=NOON
    )
    assert long.high == 129_000 * Decimal("0.000003") + 100 * Decimal("0.000015")


def test_fallbacks_count_with_the_dearest(catalogue: Snapshot):
    cheap, dear = completion(catalogue, "openai/gpt-5-nano"), completion(catalogue, OPUS)
    assert completion(catalogue, "openai/gpt-5-nano", OPUS) == Estimate(cheap.low, dear.high)
    assert not completion(catalogue, OPUS, "openrouter/auto").known


def test_free_costs_nothing(catalogue: Snapshot):
    assert completion(catalogue, "openai/gpt-oss-120b:free") == Estimate(Decimal(0), Decimal(0))


@pytest.mark.parametrize(
    ("slug", "reason"),
    [
        ("openrouter/auto", "openrouter/auto: its price depends on the model it picks"),
        ("@preset/mine", "@preset/mine: its price depends on the model the preset picks"),
        ("no/such", "no/such: it is not in the model list, so its price is not known"),
    ],
)
def test_what_nobody_can_know_is_unknown_with_the_reason(catalogue: Snapshot, slug: str, reason: str):
    assert completion(catalogue, slug) == Estimate(None, None, (reason,))


def test_a_model_without_prices_is_unknown():
    snapshot = Snapshot.of((Model(id="a/b"),))
    assert completion(snapshot, "a/b").unknown == ("a/b: its price is not listed",)


def test_a_ceiling_is_turned_into_tokens_that_fit(catalogue: Snapshot):
    def fits(slug: str, usd: str, *fallbacks: str) -> int | None:
        return output_ceiling(catalogue, slug, prompt_tokens=1_000, ceiling=Decimal(usd), now=NOON, fallbacks=fallbacks)

    assert fits(OPUS, "0.03") == 1_000
    assert fits(OPUS, "0.0300249") == 1_000
    assert fits(OPUS, "0.001") == 0
    assert fits("openai/gpt-5-nano", "0.03", OPUS) == 1_000
    assert fits("openai/gpt-oss-120b:free", "0.01") is None
    assert fits("openrouter/auto", "0.01") is None


def shape(panel: tuple[str, ...] = PANEL, steps: int = 4, writer: str = PANEL[0]) -> FusionShape:
    return FusionShape(
        panel=panel,
        analyst=writer,
        writer=writer,
        steps=steps,
        completion_tokens=16_000,
        question_tokens=200,
        answer_tokens=16_000,
    )


def test_the_usual_fusion_costs_what_people_measured(catalogue: Snapshot):
    estimate = estimate_fusion(catalogue, shape(), NOON)
    assert estimate.low is not None
    assert estimate.high is not None
    assert Decimal("0.05") < estimate.low < Decimal("0.2")
    assert Decimal(1) < estimate.high < Decimal(3)


def test_a_fusion_is_the_sum_of_its_parts():
    model = Model(id="a/b", pricing=Pricing(prompt=Decimal(1), completion=Decimal(100)))
    estimate = estimate_fusion(Snapshot.of((model,)), shape(("a/b",), 0, "a/b"), NOON)
    panel, analyst = 200 + 500 * 100, 700 + 1_000 * 100
    writer = 200 + 200 * 100 + (200 + 200 + 500 + 1_000) + 500 * 100
    assert estimate.low == panel + analyst + writer


def test_every_step_costs_and_every_panelist_counts(catalogue: Snapshot):
    highs = [estimate_fusion(catalogue, shape(steps=steps), NOON).high for steps in range(5)]
    assert all(left is not None and right is not None and left < right for left, right in pairwise(highs))
    twice = estimate_fusion(catalogue, shape(PANEL * 2), NOON).low
    once = estimate_fusion(catalogue, shape(), NOON).low
    assert once is not None
    assert twice is not None
    assert twice > once


def test_one_unknown_price_makes_a_fusion_unknown_and_is_named_once(catalogue: Snapshot):
    estimate = estimate_fusion(catalogue, shape((*PANEL, "openrouter/auto", "no/such"), writer="openrouter/auto"), NOON)
    assert (estimate.low, estimate.high) == (None, None)
    assert [reason.split(":")[0] for reason in estimate.unknown] == ["openrouter/auto", "no/such"]


def test_embeddings_cost_by_the_token(catalogue: Snapshot):
    assert estimate_embedding(catalogue, "openai/text-embedding-3-large", 1_000_000).high == Decimal("0.13")
    assert not estimate_embedding(catalogue, "no/such", 1).known


def test_reranking_costs_by_the_request(catalogue: Snapshot):
    assert estimate_rerank(catalogue, "cohere/rerank-v3.5", 10) == Estimate(Decimal("0.002"), Decimal("0.002"))
    assert estimate_rerank(catalogue, "cohere/rerank-v3.5", 250) == Estimate(Decimal("0.002"), Decimal("0.006"))
    assert estimate_rerank(catalogue, "openai/gpt-5-nano", 10).unknown == (
        "openai/gpt-5-nano: no price per request is listed",
    )
