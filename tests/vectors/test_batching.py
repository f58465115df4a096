"""Batches hold everything, in order, within the limits."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from or_mcp.vectors.batching import MOST_TEXTS, MOST_TOKENS, split

SIZES = st.lists(st.integers(0, 50), max_size=60)


@given(SIZES, st.integers(1, 7), st.integers(1, 120))
def test_batches_lose_nothing_and_keep_the_order(sizes: list[int], most_texts: int, most_tokens: int):
    batches = split(sizes, most_texts, most_tokens)
    assert [place for batch in batches for place in batch] == list(range(len(sizes)))


@given(SIZES, st.integers(1, 7), st.integers(1, 120))
def test_no_batch_is_over_a_limit_unless_one_text_is(sizes: list[int], most_texts: int, most_tokens: int):
    for batch in split(sizes, most_texts, most_tokens):
        assert 1 <= len(batch) <= most_texts
        assert len(batch) == 1 or sum(sizes[place] for place in batch) <= most_tokens


@given(SIZES, st.integers(1, 7), st.integers(1, 120))
def test_no_batch_could_have_taken_the_next_text(sizes: list[int], most_texts: int, most_tokens: int):
    batches = split(sizes, most_texts, most_tokens)
    for batch, following in pairwise(batches):
        one_more = sum(sizes[place] for place in batch) + sizes[following.start]
        assert len(batch) == most_texts or one_more > most_tokens


def test_five_thousand_short_texts_are_fifty_requests():
    assert len(split([50] * 5000)) == 5000 // MOST_TEXTS
    assert 50 * MOST_TEXTS <= MOST_TOKENS
