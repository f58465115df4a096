"""Conditions, orders and pages."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mcp.catalogue.search import Query, Sort, search
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.openrouter.wire.models import Model

SORTS: tuple[Sort, ...] = get_args(Sort)
TEXTS = ("", "gpt", "cheap vision", "free", "long context", "embedding", "claude latest", "nothing-like-it-at-all", "5")


def ids(models: Sequence[Model]) -> list[str]:
    return [model.id for model in models]


def found(catalogue: Snapshot, **query: Any) -> list[str]:
    return ids(search(catalogue.models, Query(limit=100, **query)).rows)


def test_text_models_are_listed_unless_something_else_is_asked_for(catalogue: Snapshot):
    assert "openai/text-embedding-3-large" not in found(catalogue)
    assert found(catalogue, output_modality="rerank") == ["cohere/rerank-v3.5"]
    assert len(found(catalogue, output_modality="all")) == len(catalogue.models)


def test_the_modality_that_was_searched_in_the_end_is_told(catalogue: Snapshot):
    assert search(catalogue.models, Query(text="claude")).output_modality == "text"
    assert search(catalogue.models, Query(text="embedding")).output_modality == "embeddings"
    assert search(catalogue.models, Query(text="whisper")).output_modality == "all"
    assert search(catalogue.models, Query(text="whisper", output_modality="image")).total == 0


@pytest.mark.parametrize("text", ["", "cheap", "vision", "gpt"])
def test_conditions_hold_whatever_the_text_means(catalogue: Snapshot, text: str):
    query = Query(
        text=text,
        input_modality="image",
        supports=("tools", "reasoning"),
        author="openai",
        max_input_price=Decimal(1),
        max_output_price=Decimal(5),
        min_context=300_000,
    )
    names = set(ids(search(catalogue.models, query).rows))
    assert names == {"openai/gpt-5.6-luna", "openai/gpt-5-mini", "openai/gpt-5-nano"}


@pytest.mark.parametrize("author", ["x-ai", "xAI", "x ai"])
def test_an_author_may_be_spelt_as_people_do(catalogue: Snapshot, author: str):
    assert set(found(catalogue, author=author)) == {"x-ai/grok-4.5", "x-ai/grok-4.1-fast"}


def test_an_author_is_not_any_author_that_begins_alike(catalogue: Snapshot):
    assert all("openai/" in name for name in found(catalogue, author="openai"))
    assert "openrouter/auto" not in found(catalogue, author="open")


def test_free_means_that_nothing_is_charged(catalogue: Snapshot):
    names = found(catalogue, free=True, output_modality="all")
    assert "openrouter/free" in names
    assert not {"google/veo-3.1", "openai/whisper-1", "cohere/rerank-v3.5", "openrouter/auto"} & set(names)


def test_a_price_that_depends_passes_no_price_limit(catalogue: Snapshot):
    assert "openrouter/auto" not in found(catalogue, max_input_price=Decimal(1_000_000))


def test_the_exact_name_comes_first_and_may_be_of_any_kind(catalogue: Snapshot):
    for model in catalogue.models:
        assert found(catalogue, text=model.id)[0] == model.id


def test_moving_names_and_free_variants_come_after_what_they_stand_for(catalogue: Snapshot):
    names = found(catalogue, text="claude opus")
    assert names.index("~anthropic/claude-opus-latest") > names.index("anthropic/claude-opus-5")
    names = found(catalogue, text="llama 70b")
    assert names == ["meta-llama/llama-3.3-70b-instruct", "meta-llama/llama-3.3-70b-instruct:free"]


def test_price_order_puts_unknown_prices_last(catalogue: Snapshot):
    names = found(catalogue, sort="price")
    unknown = {"openrouter/auto", "openrouter/fusion", "openrouter/fusion-flash", "openrouter/pareto-code"}
    assert set(names[-5:]) == {*unknown, "openrouter/bodybuilder"}


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("newest", "anthropic/claude-opus-5-fast"),
        ("intelligence", "openai/gpt-5.6-sol"),
        ("coding", "openai/gpt-5.6-sol"),
        ("context", "x-ai/grok-4.1-fast"),
    ],
)
def test_every_order_begins_with_its_best(catalogue: Snapshot, sort: Sort, first: str):
    assert found(catalogue, sort=sort)[0] == first


def test_nothing_found_names_the_closest(catalogue: Snapshot):
    result = search(catalogue.models, Query(text="zzzqqq"))
    assert (result.rows, result.total, result.next_cursor) == ((), 0, None)
    assert len(result.closest) == 3
    assert search((), Query(text="gpt")).closest == ()


def test_a_version_that_does_not_exist_finds_its_family(catalogue: Snapshot):
    assert found(catalogue, text="claude sonnet 9.9")[0] == "anthropic/claude-sonnet-5"


def test_a_filter_word_that_nothing_passes_is_dropped(catalogue: Snapshot):
    assert found(catalogue, text="free claude")[0] == "anthropic/claude-opus-5"


@pytest.mark.parametrize("text", ["?!", "{}[]", "ﬁne ①", "a" * 10_000, "🦙", "-1", "...", "~", "1-1-1-1"])
def test_any_text_is_answered(catalogue: Snapshot, text: str):
    search(catalogue.models, Query(text=text))


def pages(models: Sequence[Model], query: Query, limit: int) -> list[list[str]]:
    result: list[list[str]] = []
    cursor = ""
    while True:
        page = search(models, Query(text=query.text, sort=query.sort, limit=limit, cursor=cursor))
        result.append(ids(page.rows))
        if page.next_cursor is None:
            return result
        cursor = page.next_cursor


@given(text=st.sampled_from(TEXTS), sort=st.sampled_from(SORTS), limit=st.integers(1, 30))
@settings(max_examples=60)
def test_pages_are_the_whole_result_cut_in_pieces(catalogue: Snapshot, text: str, sort: Sort, limit: int):
    whole = search(catalogue.models, Query(text=text, sort=sort, limit=100))
    cut = pages(catalogue.models, Query(text=text, sort=sort), limit)
    assert [name for page in cut for name in page] == ids(whole.rows)
    assert all(len(page) == limit for page in cut[:-1])
    assert whole.total == len(whole.rows)


@given(data=st.data(), text=st.sampled_from(TEXTS), sort=st.sampled_from(SORTS), limit=st.integers(1, 20))
@settings(max_examples=80)
def test_models_that_come_and_go_between_pages_move_no_other(
    catalogue: Snapshot, data: st.DataObject, text: str, sort: Sort, limit: int
):
    everything = list(catalogue.models)
    somewhere = st.lists(st.sampled_from(everything), unique_by=lambda model: model.id)
    present = everything
    always = {model.id for model in search(everything, Query(text=text, sort=sort, limit=100)).rows}
    seen: list[str] = []
    cursor = ""
    while True:
        page = search(present, Query(text=text, sort=sort, limit=limit, cursor=cursor))
        seen += ids(page.rows)
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
        missing = {model.id for model in data.draw(somewhere)}
        present = [model for model in everything if model.id not in missing]
        always -= missing
    assert len(seen) == len(set(seen))
    assert always <= set(seen)


def test_a_cursor_of_another_query_is_refused(catalogue: Snapshot):
    cursor = search(catalogue.models, Query(text="gpt", limit=1)).next_cursor
    assert cursor
    assert search(catalogue.models, Query(text="gpt", limit=50, cursor=cursor)).rows
    with pytest.raises(InvalidRequest, match="another query"):
        search(catalogue.models, Query(text="claude", limit=1, cursor=cursor))


@given(cursor=st.one_of(st.text(min_size=1), st.binary(min_size=1).map(lambda raw: raw.decode("latin-1"))))
def test_a_cursor_that_was_never_given_is_refused(catalogue: Snapshot, cursor: str):
    with pytest.raises(InvalidRequest, match="cursor"):
        search(catalogue.models, Query(cursor=cursor))
