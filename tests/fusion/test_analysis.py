"""The analyst's words are read whatever shape they come in, and nothing is added to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mcp.fusion.analysis import Analysis, Contradiction, Coverage, Insight, Stance, read_analysis

OPUS, GPT = "~anthropic/claude-opus-latest", "openai/gpt-5.2"
PANEL = (OPUS, GPT)


def read(**parts: Any) -> Analysis:
    found = read_analysis(parts, PANEL)
    assert found is not None
    return found


def test_the_shape_of_the_schema_is_read_as_it_is():
    assert read(
        consensus=["both agree"],
        contradictions=[{"topic": "cost", "stances": [{"model": OPUS, "stance": "dear"}]}],
        partial_coverage=[{"models": [OPUS], "point": "only one said it"}],
        unique_insights=[{"model": GPT, "insight": "new"}],
        blind_spots=["nobody asked"],
    ) == Analysis(
        ("both agree",),
        (Contradiction("cost", (Stance(OPUS, "dear"),)),),
        (Coverage("only one said it", (OPUS,)),),
        (Insight(GPT, "new"),),
        ("nobody asked",),
    )


@pytest.mark.parametrize("raw", [None, "", "words, no JSON", "[1]", "7", 7, 1.5, True, [], ["consensus"], {}, {"a": 1}])
def test_what_is_no_analysis_is_none(raw: Any):
    assert read_analysis(raw, PANEL) is None


def test_an_analysis_as_json_in_a_string_is_read():
    assert read_analysis(json.dumps({"consensus": ["a"]}), PANEL) == read(consensus=["a"])


@pytest.mark.parametrize("raw", ["[" * 100_000, '{"consensus": ' + "[" * 5000 + "]" * 5000 + "}", '{"consensus": NaN}'])
def test_json_that_no_reader_takes_is_no_analysis_and_no_crash(raw: str):
    assert read_analysis(raw, PANEL) is None


def test_half_a_character_is_never_passed_on():
    found = read_analysis('{"consensus": ["\\ud83d"]}', PANEL)
    json.dumps(None if found is None else asdict(found), ensure_ascii=False).encode()


def test_missing_and_null_parts_are_empty():
    assert read(consensus=None, contradictions=[], blind_spots="") == Analysis((), (), (), (), ())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("one", ("one",)),
        (["a", "b", "a", "", None, " a "], ("a", "b")),
        ([{"point": "a", "why": "b"}], ("a: b",)),
        ([["a", "b"]], ("a, b",)),
        ([7, True, 1.5], ("7", "True", "1.5")),
        ({"a": "b"}, ("b",)),
    ],
)
def test_points_of_any_shape_are_words(value: Any, words: tuple[str, ...]):
    assert read(consensus=value).consensus == words
    assert read(blind_spots=value).blind_spots == words


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("they differ", Contradiction("they differ", ())),
        ({"title": "t", "positions": ["a", "a"]}, Contradiction("t", (Stance("", "a"),))),
        ({"issue": "t", "stances": {OPUS: "a", GPT: "b"}}, Contradiction("t", (Stance(OPUS, "a"), Stance(GPT, "b")))),
        ({"point": "t", "stances": "just words"}, Contradiction("t", (Stance("", "just words"),))),
        ({"stances": [{"model": GPT, "position": "a"}]}, Contradiction("", (Stance(GPT, "a"),))),
        (
            {"stances": [{"view": "a"}, {"text": "b"}, {}, None, ""]},
            Contradiction("", (Stance("", "a"), Stance("", "b"))),
        ),
        ({"topic": "t"}, Contradiction("t", ())),
        ({}, None),
        ("", None),
        (None, None),
    ],
)
def test_contradictions_of_any_shape(row: Any, expected: Contradiction | None):
    assert read(contradictions=[row]).contradictions == ((expected,) if expected else ())


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("a point", Coverage("a point", ())),
        ({"model": GPT, "text": "p"}, Coverage("p", (GPT,))),
        ({"models": [GPT, OPUS, GPT], "topic": "p"}, Coverage("p", (GPT, OPUS))),
        ({"models": GPT, "insight": "p"}, Coverage("p", (GPT,))),
        ({"models": None, "point": "p"}, Coverage("p", ())),
        ({"models": [GPT]}, None),
        (None, None),
    ],
)
def test_coverage_of_any_shape(row: Any, expected: Coverage | None):
    assert read(partial_coverage=[row]).partial_coverage == ((expected,) if expected else ())


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("a thought", Insight("", "a thought")),
        ({"model": GPT, "point": "i"}, Insight(GPT, "i")),
        ({"text": "i"}, Insight("", "i")),
        ({"model": GPT}, None),
        (None, None),
    ],
)
def test_insights_of_any_shape(row: Any, expected: Insight | None):
    assert read(unique_insights=[row]).unique_insights == ((expected,) if expected else ())


@pytest.mark.parametrize(
    ("spelling", "slug"),
    [
        (GPT, GPT),
        ("gpt-5.2", GPT),
        ("GPT 5.2", GPT),
        ("OpenAI/GPT_5.2", GPT),
        ("claude-opus-latest", OPUS),
        ("anthropic/claude-opus-latest", OPUS),
        ("~Claude Opus Latest", OPUS),
        ("GPT", "GPT"),
        ("Claude", "Claude"),
        ("somebody/else", "somebody/else"),
    ],
)
def test_a_spelling_becomes_the_slug_only_where_there_is_no_doubt(spelling: str, slug: str):
    assert read(unique_insights=[{"model": spelling, "insight": "i"}]).unique_insights == (Insight(slug, "i"),)


def test_a_name_that_two_panelists_share_is_left_as_it_is():
    found = read_analysis({"unique_insights": [{"model": "llama", "insight": "i"}]}, ("meta/llama", "other/llama"))
    assert found is not None
    assert found.unique_insights == (Insight("llama", "i"),)


# Upstream's replies are JSON in UTF-8: no halves of characters, and numbers that are.
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["model", "models", "stances", "topic", "point", "insight", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
parts = st.dictionaries(
    st.sampled_from(["consensus", "contradictions", "partial_coverage", "unique_insights", "blind_spots", "more"]),
    anything,
)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in cast("dict[str, Any]", value).values():
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in cast("list[Any]", value):
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def pieces(value: Any) -> Iterator[str]:
    """Every word of the input, keys included: a dict of stances has its models there."""
    if isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            yield name
            yield from pieces(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from pieces(inner)
    elif value is not None:
        yield str(value).strip()


@given(anything | parts, st.booleans())
def test_no_json_crashes_the_reader_and_nothing_is_invented(raw: Any, encoded: bool):
    found = read_analysis(json.dumps(raw) if encoded else raw, PANEL)
    if found is None:
        return
    given_words = {*pieces(raw), *PANEL}
    for text in strings(asdict(found)):
        left = text
        # What was joined from several fields is made of them, and of ": " and ", " between them.
        for piece in sorted(given_words, key=len, reverse=True):
            left = left.replace(piece, "") if piece else left
        assert not left.replace(":", "").replace(",", "").strip(), (text, raw)
