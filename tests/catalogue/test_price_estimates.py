"""Prices in force, and what calls will cost."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mcp.catalogue.costs import Media
from or_mcp.catalogue.prices import (
    Estimate,
    FusionShape,
    Prompt,
    estimate_completion,
    estimate_embedding,
    estimate_fusion,
    output_that_fits,
    per_million,
)
from or_mcp.catalogue.rates import is_free, rates, rates_at_most
from or_mcp.catalogue.reranking import Pairs, estimate_rerank
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.tokens import count_tokens
from or_mcp.catalogue.web import NO_WEB, WebUse
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
    started = time.process_time()
    count_tokens(text)
    assert time.process_time() - started < 1


def completion(
    catalogue: Snapshot,
    *slugs: str,
    limit: int | None = None,
    web: WebUse = NO_WEB,
    tokens: int = 1_000,
    media: Media | None = None,
) -> Estimate:
    prompt = Prompt(tokens, media) if media else Prompt(tokens)
    return estimate_completion(catalogue, slugs, prompt, prompt, max_output_tokens=limit, web=web, now=NOON)


def one(**prices: str) -> Snapshot:
    listed = {"prompt": "0.000001", "completion": "0.00001"} | prices
    return Snapshot.of(
        [Model.model_validate({"id": "a/b", "pricing": listed, "top_provider": {"max_completion_tokens": 1_000}})]
    )


def test_an_answer_costs_between_a_short_and_a_long_one_and_at_most_the_longest(catalogue: Snapshot):
    # 1000 x $5 (or $6.25, written to a cache) and 300, 16000 or 128000 x $25 per million
    assert completion(catalogue, OPUS) == Estimate(Decimal("0.0125"), Decimal("0.405"), Decimal("3.20625"))
    assert completion(catalogue, OPUS, limit=100) == Estimate(Decimal("0.0075"), Decimal("0.0075"), Decimal("0.00875"))


def test_no_answer_is_longer_than_the_model_can_write(catalogue: Snapshot):
    # perplexity/sonar-pro writes 8000 tokens at most
    longest = Decimal("0.003") + 8_000 * Decimal("0.000015")
    assert completion(catalogue, "perplexity/sonar-pro", limit=100_000).high == longest


def test_a_limit_that_a_model_does_not_take_bounds_nothing():
    row = {"id": "a/b", "pricing": {"prompt": "0", "completion": "0.001"}, "top_provider": {"max_completion_tokens": 9}}
    for parameters, tokens in ((["tools"], 9), (["max_tokens"], 5), (["max_completion_tokens"], 5), ([], 5)):
        snapshot = Snapshot.of([Model.model_validate(row | {"supported_parameters": parameters})])
        assert completion(snapshot, "a/b", limit=5).most == tokens * Decimal("0.001")


def test_web_adds_searches_and_what_they_bring_at_most(catalogue: Snapshot):
    plain, web = completion(catalogue, OPUS, limit=100), completion(catalogue, OPUS, limit=100, web=WebUse(3, 1))
    assert plain.most is not None
    assert web.most is not None
    assert web.low == plain.low
    rereading = (3 * 1_000 + 6 * 4_000 + 3 * 2_500) * Decimal("0.00000625")
    writing = 3 * 150 * Decimal("0.000025")
    assert web.most - plain.most == rereading + writing + 3 * Decimal("0.01") + Decimal("0.001")
    assert completion(catalogue, f"{OPUS}:online") == completion(catalogue, OPUS, web=WebUse(3))


def test_a_long_prompt_pays_the_price_for_long_prompts(catalogue: Snapshot):
    long = completion(catalogue, "qwen/qwen3-max", tokens=129_000, limit=100)
    assert long.high == 129_000 * Decimal("0.000003") + 100 * Decimal("0.000015")


@pytest.mark.parametrize(
    ("prices", "media", "more"),
    [
        ({"input_cache_write": "0.000002"}, Media(), 1_000 * Decimal("0.000001")),
        ({"input_cache_write": "-1"}, Media(), Decimal(0)),
        ({"internal_reasoning": "0.00002"}, Media(), 100 * Decimal("0.00001")),
        ({"request": "0.5"}, Media(), Decimal("0.5")),
        ({"image": "0.02"}, Media(2, 500), Decimal("0.04")),
        ({"image_token": "0.000003"}, Media(2, 500), 500 * Decimal("0.000002")),
        ({"audio": "0.00004"}, Media(audio_tokens=200), 200 * Decimal("0.000039")),
        ({"web_search": "0.5"}, Media(), Decimal(0)),
    ],
)
def test_every_price_that_a_row_lists_counts_at_most(prices: dict[str, str], media: Media, more: Decimal):
    plain = completion(one(), "a/b", limit=100, media=media).most
    assert plain is not None
    assert completion(one(**prices), "a/b", limit=100, media=media).most == plain + more


@given(start=clocks, end=clocks, minutes=st.integers(0, 60))
def test_a_price_that_rises_within_the_hour_counts_at_most(start: int, end: int, minutes: int):
    met = rates(windowed(start, end), 1, NOON + timedelta(minutes=minutes - minutes % 15)).prompt
    assert met is not None
    assert rates_at_most(windowed(start, end), 1, NOON).prompt in (met, 9)


def test_a_price_that_falls_by_size_or_hour_does_not_count_at_most():
    cheaper = pricing(PriceOverride(min_prompt_tokens=10, prompt=Decimal("0.5")))
    assert (rates(cheaper, 20, NOON).prompt, rates_at_most(cheaper, 20, NOON).prompt) == (Decimal("0.5"), 1)
    depends = pricing(PriceOverride(min_prompt_tokens=10, prompt=Decimal(-1)))
    assert rates_at_most(depends, 20, NOON).prompt is None


def test_fallbacks_count_with_the_dearest(catalogue: Snapshot):
    cheap, dear = completion(catalogue, "openai/gpt-5-nano"), completion(catalogue, OPUS)
    assert completion(catalogue, "openai/gpt-5-nano", OPUS) == Estimate(cheap.low, dear.high, dear.most)
    assert not completion(catalogue, OPUS, "openrouter/auto").known


def test_free_costs_nothing(catalogue: Snapshot):
    assert completion(catalogue, "openai/gpt-oss-120b:free") == Estimate(Decimal(0), Decimal(0), Decimal(0))


@pytest.mark.parametrize(
    ("name", "makes", "prices", "free"),
    [
        ("a/b", ["text"], {}, True),
        ("a/b", ["text"], {"request": "0", "image": "0", "web_search": "0.01"}, True),
        ("a/b:free", ["embeddings"], {}, True),
        ("openrouter/free", ["text"], {}, True),
        ("a/b", ["rerank"], {}, False),
        ("a/b", ["embeddings"], {}, False),
        ("a/b", ["text", "audio"], {}, False),
        ("a/b", [], {}, False),
        ("a/b", ["text"], {"request": "0.1"}, False),
        ("a/b", ["text"], {"internal_reasoning": "0.1"}, False),
        ("a/b", ["text"], {"request": "-1"}, False),
        ("a/b:free", ["text"], {"image": "0.1"}, False),
    ],
)
def test_free_is_what_its_name_or_all_its_prices_say(name: str, makes: list[str], prices: dict[str, str], free: bool):
    listed = {"prompt": "0", "completion": "0"} | prices
    row = Model.model_validate({"id": name, "architecture": {"output_modalities": makes}, "pricing": listed})
    assert is_free(row) is free
    if not free:
        assert completion(Snapshot.of([row]), name).low != 0


@pytest.mark.parametrize(
    ("slug", "reason"),
    [
        ("openrouter/auto", "openrouter/auto: its price depends on the model it picks"),
        ("@preset/mine", "@preset/mine: its price depends on the model the preset picks"),
        ("no/such", "no/such: it is not in the model list, so its price is not known"),
    ],
)
def test_what_nobody_can_know_is_unknown_with_the_reason(catalogue: Snapshot, slug: str, reason: str):
    assert completion(catalogue, slug) == Estimate(None, None, None, (reason,))


def test_a_model_without_prices_is_unknown():
    snapshot = Snapshot.of((Model(id="a/b"),))
    assert completion(snapshot, "a/b").unknown == ("a/b: its price is not listed",)


def test_a_ceiling_is_turned_into_tokens_that_fit(catalogue: Snapshot):
    def fits(usd: str, *slugs: str) -> int | None:
        return output_that_fits(catalogue, slugs, Prompt(1_000), NO_WEB, Decimal(usd), NOON)

    assert fits("0.03125", OPUS) == 1_000
    assert fits("0.0312749", OPUS) == 1_000
    assert fits("0.001", OPUS) == 0
    assert fits("0.03125", "openai/gpt-5-nano", OPUS) == 1_000
    assert fits("0.01", "openai/gpt-oss-120b:free") is None
    assert fits("0.01", "openrouter/auto") is None


def shape(panel: tuple[str, ...] = PANEL, steps: int = 4, writer: str = PANEL[0], tokens: int = 16_000) -> FusionShape:
    return FusionShape(
        panel=panel,
        analyst=writer,
        writer=writer,
        web=WebUse(steps, min(steps, 2)),
        completion_tokens=tokens,
        answer_tokens=16_000,
        question_tokens=200,
        question_at_most=400,
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


def test_a_fusion_costs_at_most_what_all_its_limits_add_up_to():
    row = {"id": "a/b", "pricing": {"prompt": "1", "completion": "100"}}
    estimate = estimate_fusion(Snapshot.of((Model.model_validate(row),)), shape(("a/b",), 1, "a/b", 50), NOON)
    asked = 400 + 1_000  # the question, and upstream's own words
    found = 4_000 + 2_500  # one search and one page, read by the step after them
    panelist = asked + (asked + found) + (50 + 150) * 100
    analyst = (asked + 50) + (asked + 50 + found) + (50 + 150) * 100
    writer = asked + 600 * 100 + (asked + 600 + 50 + 50) + 16_000 * 100
    fees = 2 * (Decimal("0.007") + Decimal("0.001"))
    assert estimate.most == panelist + analyst + writer + fees


def test_the_default_fusion_fits_under_the_default_ceiling_with_all_it_is_used_to(catalogue: Snapshot):
    estimate = estimate_fusion(catalogue, shape(), NOON)
    assert estimate.most is not None
    assert estimate.most < 5


def test_embeddings_cost_by_the_token(catalogue: Snapshot):
    estimate = estimate_embedding(catalogue, "openai/text-embedding-3-large", 1_000_000, 2_000_000, 3)
    assert (estimate.high, estimate.most) == (Decimal("0.13"), Decimal("0.26"))
    assert not estimate_embedding(catalogue, "no/such", 1, 1, 1).known


def reranked(catalogue: Snapshot, slug: str, documents: int, seen: str | None = None) -> Estimate:
    usual, at_most = Pairs(10, (50,) * documents), Pairs(20, (100,) * documents)
    return estimate_rerank(catalogue, slug, usual, at_most, Decimal(seen) if seen else None)


@pytest.mark.parametrize(
    ("query", "documents", "units"),
    [
        (10, (50,) * 100, 1),
        (10, (50,) * 101, 2),
        (10, (490,) * 60, 1),
        (10, (1_200,) * 60, 2),
        (499, (499,) * 10, 1),
        (10, (), 1),
        (10, (0,), 1),
    ],
)
def test_long_documents_count_as_several(query: int, documents: tuple[int, ...], units: int):
    assert Pairs(query, documents).units == units


def test_reranking_costs_by_the_unit_which_no_row_lists():
    rows = [
        {"id": name, "pricing": {"prompt": price, "completion": "0"}, "architecture": {"output_modalities": ["rerank"]}}
        for name, price in (
            ("cohere/rerank-v3.5", "0"),
            ("who/knows", "0"),
            ("x/by-token", "0.0000002"),
            ("nvidia/rerank:free", "0"),
        )
    ]
    rerankers = Snapshot.of([Model.model_validate(row) for row in rows])
    known = reranked(rerankers, "cohere/rerank-v3.5", 250)
    assert (known.low, known.high, known.most) == (Decimal("0.001"), Decimal("0.003"), Decimal("0.003"))
    assert "others' bills of September 2026" in known.notes[0]
    seen = reranked(rerankers, "cohere/rerank-v3.5", 250, seen="0.002")
    assert (seen.most, "what it cost here before" in seen.notes[0]) == (Decimal("0.006"), True)
    assert reranked(rerankers, "who/knows", 10).most is None
    by_token = reranked(rerankers, "x/by-token", 10)
    assert (by_token.high, by_token.most) == (1_600 * Decimal("0.0000002"), 2_200 * Decimal("0.0000002"))
    assert reranked(rerankers, "nvidia/rerank:free", 10).most == 0


def test_a_price_that_a_row_lists_by_the_request_counts_before_all_others():
    row = {"id": "a/b", "pricing": {"prompt": "0", "completion": "0", "request": "0.5"}}
    assert reranked(Snapshot.of([Model.model_validate(row)]), "a/b", 101, seen="9").most == 1
