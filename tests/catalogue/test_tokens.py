"""How many tokens a text has at most, against counts of real vocabularies."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.texts import CODE, LANGUAGES, texts
from or_mcp.catalogue.tokens import count_tokens, most_tokens

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "tokens.json").read_text("utf-8"))
# What every bound has in it for doubt.
DOUBT = most_tokens("")


def test_the_counts_are_those_of_the_texts():
    assert [(row["name"], row["text"]) for row in ROWS] == list(texts())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_no_vocabulary_makes_more_tokens_of_a_text_than_it_has_at_most(row: dict[str, Any]):
    assert most_tokens(row["text"]) >= row["tokens"]


@pytest.mark.parametrize("row", [row for row in ROWS if "random" not in row["name"]], ids=lambda row: row["name"])
def test_the_bound_is_without_what_is_added_for_a_short_text_not_below_the_count_by_more_than_a_few(
    row: dict[str, Any],
):
    assert most_tokens(row["text"] * 4) >= 4 * (row["tokens"] - 2)


@pytest.mark.parametrize("name", [*LANGUAGES, *(f"code: {name}" for name in CODE)])
def test_the_bound_of_an_ordinary_text_is_near(name: str):
    (row,) = [row for row in ROWS if row["name"] == name]
    assert most_tokens(row["text"]) - DOUBT <= 3 * row["tokens"]


def test_english_is_bounded_far_below_a_token_a_byte():
    text = LANGUAGES["English"] * 50
    assert most_tokens(text) < 0.6 * len(text)
    assert count_tokens(text) < most_tokens(text)


@given(st.text())
def test_no_text_has_more_tokens_than_bytes(text: str):
    assert 0 <= most_tokens(text) - DOUBT <= len(text.encode("utf-8", "surrogatepass"))


@given(st.text(), st.text())
def test_a_text_in_two_parts_is_bounded_no_lower_than_whole(one: str, other: str):
    assert most_tokens(one + other) <= most_tokens(one) + most_tokens(other)


def test_half_a_character_is_counted_as_the_three_bytes_it_is_sent_as():
    assert most_tokens("\ud800" * 100) == most_tokens("\ue000" * 100)


def test_a_text_of_random_words_is_bounded_whatever_its_size():
    chance = random.Random(3)
    text = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz ", k=100_000))
    # Measured: 0.51 tokens a character by the vocabulary that makes the most of it.
    assert 0.51 <= most_tokens(text) / len(text) <= 0.85
