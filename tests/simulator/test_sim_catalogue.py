"""The catalogue pages: filters, pages, endpoints."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.calls import Caller

Row = dict[str, Any]


async def slugs(caller: Caller, **query: str | int) -> list[str]:
    return [row["id"] for row in await caller.data("/models", **query)]


async def test_the_default_listing_shows_text_models_only(caller: Caller) -> None:
    shown = await caller.data("/models")
    assert all("text" in row["architecture"]["output_modalities"] for row in shown)
    everything = await slugs(caller, output_modalities="all")
    assert len(everything) > len(shown) >= 50
    assert "cohere/rerank-v3.5" in await slugs(caller, output_modalities="rerank")
    embedding = [row["id"] for row in await caller.data("/embeddings/models")]
    assert embedding == await slugs(caller, output_modalities="embeddings")
    assert len(embedding) >= 5


async def test_the_catalogue_has_every_oddity(caller: Caller) -> None:
    rows = await caller.data("/models", output_modalities="all")
    prices = [row["pricing"] for row in rows]
    assert any(price["prompt"] == "-1" for price in prices)
    assert any("utc_start" in entry for price in prices for entry in price.get("overrides", []))
    assert any(price.get("discount") for price in prices)
    assert any("input_cache_write_1h" in price for price in prices)
    assert any(row["context_length"] is None for row in rows)
    assert any(row["id"].endswith(":free") for row in rows)
    assert any(row["supported_voices"] for row in rows)
    by_slug = {row["id"]: row for row in rows}
    for row in rows:
        if row["id"].startswith("~"):
            assert row["pricing"] == by_slug[row["alias_target"]["slug"]]["pricing"]
    today = datetime.now(UTC).date()
    leaving = [date.fromisoformat(row["expiration_date"]) for row in rows if row["expiration_date"]]
    assert any(today < day < today + timedelta(days=30) for day in leaving)


FILTERS: list[tuple[dict[str, str | int], Callable[[Row], bool]]] = [
    ({"q": "claude opus"}, lambda row: "claude-opus" in row["id"]),
    ({"model_authors": "openai,google"}, lambda row: row["id"].strip("~").split("/")[0] in ("openai", "google")),
    (
        {"input_modalities": "audio,image"},
        lambda row: {"audio", "image"} <= set(row["architecture"]["input_modalities"]),
    ),
    (
        {"supported_parameters": "tools,reasoning"},
        lambda row: {"tools", "reasoning"} <= set(row["supported_parameters"]),
    ),
    ({"context": 1_000_000}, lambda row: row["context_length"] >= 1_000_000),
    ({"max_price": "0.5"}, lambda row: 0 <= float(row["pricing"]["prompt"]) <= 0.5e-6),
    ({"min_output_price": 100}, lambda row: float(row["pricing"]["completion"]) >= 100e-6),
    ({"max_price": 0}, lambda row: row["pricing"]["prompt"] == "0"),
    ({"arch": "Claude"}, lambda row: row["architecture"]["tokenizer"] == "Claude"),
    ({"min_coding_index": 60}, lambda row: row["benchmarks"]["artificial_analysis"]["coding_index"] >= 60),
    ({"distillable": "true"}, lambda row: row["hugging_face_id"] is not None),
    ({"distillable": "false"}, lambda row: row["hugging_face_id"] is None),
    ({"min_tool_success_rate": "0.9"}, lambda row: "tools" in row["supported_parameters"]),
    ({"max_age_days": 400}, lambda row: datetime.now(UTC).timestamp() - row["created"] <= 400 * 86_400),
]


@pytest.mark.parametrize(("query", "fits"), FILTERS)
async def test_a_filter_keeps_what_fits_and_only_that(caller: Caller, query: dict[str, str | int], fits: Any) -> None:
    kept = await caller.data("/models", **query)
    assert 0 < len(kept) < len(await slugs(caller))
    assert all(fits(row) for row in kept)
    assert (await caller.data("/models/count", **query))["count"] == len(kept)


async def test_every_category_and_region_has_models_of_its_own(caller: Caller) -> None:
    everything = await slugs(caller)
    for name, values in {"category": ("programming", "marketing/seo", "academia"), "region": ("eu", "us")}.items():
        kept = [await slugs(caller, **{name: value}) for value in values]
        assert all(0 < len(each) < len(everything) for each in kept)
        assert len({tuple(each) for each in kept}) == len(values)
        refused = await caller.get("/models", None, **{name: "cooking"})
        assert (refused.status_code, values[0] in refused.text) == (400, True)
    feed = await caller.get("/models", use_rss="true")
    assert (feed.status_code, "does not imitate" in feed.text) == (501, True)


ORDERS: list[tuple[str, Callable[[Row], Any]]] = [
    ("newest", lambda row: -row["created"]),
    ("pricing-low-to-high", lambda row: Decimal(row["pricing"]["prompt"]) + Decimal(row["pricing"]["completion"])),
    ("context-high-to-low", lambda row: -row["context_length"]),
    ("intelligence-high-to-low", lambda row: -indices(row).get("intelligence_index", 0)),
    ("agentic-high-to-low", lambda row: -indices(row).get("agentic_index", 0)),
]


def indices(row: dict[str, Any]) -> dict[str, float]:
    return row.get("benchmarks", {}).get("artificial_analysis", {})


@pytest.mark.parametrize(("sort", "key"), ORDERS)
async def test_a_sort_orders(caller: Caller, sort: str, key: Any) -> None:
    rows = await caller.data("/models", sort=sort)
    assert rows == sorted(rows, key=key)


async def test_every_documented_sort_is_known_and_no_other(caller: Caller) -> None:
    for sort in ("most-popular", "top-weekly", "pricing-high-to-low", "throughput-high-to-low", "latency-low-to-high",
                 "coding-high-to-low", "design-arena-elo-high-to-low"):  # fmt: skip
        assert len(await slugs(caller, sort=sort)) == len(await slugs(caller))
    assert (await caller.get("/models", sort="random")).status_code == 400
    assert (await caller.get("/models", max_price="cheap")).status_code == 400


async def test_pages_follow_their_links_to_the_end(caller: Caller) -> None:
    whole = (await caller.get("/models", output_modalities="all")).json()
    assert whole["links"]["next"] is None
    page = (await caller.get("/models", output_modalities="all", limit=10)).json()
    seen: list[str] = []
    while True:
        seen += [row["id"] for row in page["data"]]
        assert page["total_count"] == whole["total_count"]
        if page["links"]["next"] is None:
            break
        page = (await caller.get(page["links"]["next"].removeprefix("/api/v1"))).json()
    assert seen == [row["id"] for row in whole["data"]]
    for limit in (0, 1001):
        assert (await caller.get("/models", limit=limit)).status_code == 400


async def test_performance_is_shown_to_callers_with_a_key(caller: Caller) -> None:
    path = "/models/deepseek/deepseek-v3.2/endpoints"
    with_key = (await caller.data(path))["endpoints"]
    assert all(offer["latency_last_30m"]["p50"] > 0 for offer in with_key)
    without = (await caller.http.get(path, headers={"authorization": ""})).json()["data"]["endpoints"]
    assert [offer["latency_last_30m"] for offer in without] == [None] * len(with_key)


async def test_zdr_endpoints_belong_to_zdr_models(caller: Caller) -> None:
    listed = {offer["model_id"] for offer in await caller.data("/endpoints/zdr")}
    kept = {slug for slug in await slugs(caller, zdr="true", output_modalities="all") if not slug.startswith("~")}
    assert listed == kept
    assert "deepseek/deepseek-r1-0528:free" not in listed


async def test_a_model_answers_to_alias_variant_preset_and_canonical_slug(caller: Caller) -> None:
    canonical = (await caller.data("/model/openai/gpt-5.6-luna"))["canonical_slug"]
    for slug in (canonical, "openai/gpt-5.6-luna:nitro", "openai/gpt-5.6-luna@preset/house"):
        assert (await caller.data(f"/model/{slug}"))["id"] == "openai/gpt-5.6-luna"
    assert (await caller.data("/model/~moonshotai/kimi-latest"))["alias_target"]["slug"] == "moonshotai/kimi-k3"
