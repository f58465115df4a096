"""Rankings and pairs, against plain Python."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from itertools import combinations
from unittest import mock

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from or_mcp.vectors import ranking, similarity
from or_mcp.vectors.matrix import directions, rounded, stack
from or_mcp.vectors.ranking import rank
from or_mcp.vectors.similarity import NEAR_DUPLICATE, compare

VECTOR = st.lists(st.integers(-4, 4), min_size=3, max_size=3)
VECTORS = st.lists(VECTOR, min_size=2, max_size=14)


def packed(vector: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(vector)}f", *vector)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else 0.0


@given(VECTORS, VECTOR, st.integers(1, 20))
def test_a_ranking_is_that_of_plain_python(vectors: list[list[int]], query: list[int], top_k: int):
    with mock.patch.object(ranking, "_ROWS_AT_ONCE", 4):
        ranked = rank([packed(vector) for vector in vectors], packed(query), top_k)
    best = sorted((cosine(vector, query) for vector in vectors), reverse=True)[:top_k]
    assert [row.score for row in ranked] == pytest.approx(best, abs=2e-6)
    assert [row.score for row in ranked] == pytest.approx(
        [cosine(vectors[row.index], query) for row in ranked], abs=2e-6
    )
    assert len({row.index for row in ranked}) == len(ranked)


@given(VECTORS, st.integers(1, 20), st.integers(1, 5))
def test_pairs_and_neighbours_are_those_of_plain_python(vectors: list[list[int]], top_k: int, block: int):
    with mock.patch.object(similarity, "_ROWS_AT_ONCE", block):
        found = compare(directions(stack([packed(v) for v in vectors])), top_k)
    scores = {(a, b): cosine(vectors[a], vectors[b]) for a, b in combinations(range(len(vectors)), 2)}
    best = sorted(scores.values(), reverse=True)[:top_k]
    assert [pair.score for pair in found.pairs] == pytest.approx(best, abs=2e-6)
    for pair in found.pairs:
        assert pair.score == pytest.approx(scores[pair.index, pair.other], abs=2e-6)
    assert len({(pair.index, pair.other) for pair in found.pairs}) == len(found.pairs)
    nearest = [max(score for pair, score in scores.items() if n in pair) for n in range(len(vectors))]
    assert [pair.score for pair in found.neighbours] == pytest.approx(nearest, abs=2e-6)
    assert all(pair.index != pair.other for pair in found.neighbours)


@given(VECTORS, st.integers(1, 5))
def test_near_duplicates_are_chains_of_texts_that_are_alike(vectors: list[list[int]], block: int):
    edges = {(a, b): cosine(vectors[a], vectors[b]) for a, b in combinations(range(len(vectors)), 2)}
    assume(all(abs(score - NEAR_DUPLICATE) > 1e-5 for score in edges.values()))
    with mock.patch.object(similarity, "_ROWS_AT_ONCE", block):
        found = compare(directions(stack([packed(v) for v in vectors])), 5)
    group = {n: {n} for n in range(len(vectors))}
    for (a, b), score in edges.items():
        if score >= NEAR_DUPLICATE:
            joined = group[a] | group[b]
            group |= dict.fromkeys(joined, joined)
    expected = {tuple(sorted(members)) for members in group.values() if len(members) > 1}
    assert set(found.groups) == expected


def test_equals_keep_the_order_of_the_input():
    same = [packed([1, 0])] * 5
    assert [row.index for row in rank(same, same[0], 3)] == [0, 1, 2]
    found = compare(directions(stack(same)), 3)
    assert [(pair.index, pair.other) for pair in found.pairs] == [(0, 1), (0, 2), (0, 3)]


def test_large_and_zero_vectors_give_scores_and_no_nan():
    texts = [packed([3e38, 3e38]), packed([0, 0]), packed([1, 1])]
    assert [row.score for row in rank(texts, texts[0], 3)] == pytest.approx([1, 1, 0], abs=1e-6)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_seven_digits_tell_a_number_within_float32(numbers: list[float]):
    (row,) = rounded(stack([packed(numbers)]))
    assert row == pytest.approx(numbers, rel=1e-6)
