"""Replies are checked before they are believed."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from or_mcp.openrouter.errors import UpstreamFailed
from or_mcp.openrouter.wire.embeddings import EmbeddingsReply
from or_mcp.vectors.decoding import read_vectors


def reply(*rows: tuple[int | None, Any]) -> EmbeddingsReply:
    data = [{"index": index, "embedding": embedding} for index, embedding in rows]
    return EmbeddingsReply.model_validate({"id": "gen-emb-1", "data": data})


def packed(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *numbers)


def coded(*numbers: float) -> str:
    return base64.b64encode(packed(*numbers)).decode()


def test_base64_and_numbers_are_the_same_vector():
    vectors = [packed(0.5, -0.25), packed(1, 2)]
    assert read_vectors(reply((0, coded(0.5, -0.25)), (1, coded(1, 2))), 2) == vectors
    assert read_vectors(reply((0, [0.5, -0.25]), (1, [1, 2])), 2) == vectors


def test_vectors_are_sorted_by_index():
    assert read_vectors(reply((1, [1.0]), (0, [0.0]), (2, [2.0])), 3) == [packed(0), packed(1), packed(2)]


@pytest.mark.parametrize("index", [None, 0])
def test_without_telling_indexes_the_order_is_kept(index: int | None):
    assert read_vectors(reply((index, [1.0]), (index, [0.0])), 2) == [packed(1), packed(0)]


UNUSABLE: list[list[tuple[int | None, Any]]] = [
    [(0, [1.0])],
    [(0, [1.0]), (1, [1.0]), (2, [1.0])],
    [(0, [1.0]), (1, [1.0, 2.0])],
    [(0, [1.0]), (None, [1.0])],
    [(0, []), (1, [])],
    [(0, ""), (1, "")],
    [(0, coded(1.0)), (1, coded(float("nan")))],
    [(0, [1.0]), (1, [1e300])],
    [(0, "AAAA"), (1, "AAAA")],
    [(0, "*"), (1, "x")],
]


@pytest.mark.parametrize("rows", UNUSABLE, ids=str)
def test_what_is_not_one_vector_a_text_is_a_failure_that_may_be_billed(rows: list[tuple[int | None, Any]]):
    with pytest.raises(UpstreamFailed) as raised:
        read_vectors(reply(*rows), 2)
    assert raised.value.may_be_billed
    assert raised.value.generation_id == "gen-emb-1"


def test_an_order_that_cannot_be_told_is_a_failure():
    with pytest.raises(UpstreamFailed, match="which vector belongs"):
        read_vectors(reply((0, [1.0]), (1, [2.0]), (0, [3.0])), 3)
