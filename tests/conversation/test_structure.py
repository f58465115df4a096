"""An answer that must be JSON is checked, and nothing a model writes or a caller asks can crash the check."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mcp.conversation import bounded
from or_mcp.conversation.structure import check_schema, read_json, response_format
from or_mcp.openrouter.errors import InvalidRequest

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.mark.parametrize(
    "text",
    [
        *('{"n": 1}', '```json\n{"n": 1}\n```', '```\n{"n": 1}\n```\n', '  \n{"n": 1}\n'),
        *('Here it is:\n```json\n{"n": 1}\n```\nAnything else?', 'The answer is {"n": 1}.'),
    ],
)
def test_json_is_read_with_and_without_words_around_it(text: str):
    assert read_json(text, NUMBER) == ({"n": 1}, None)


@pytest.mark.parametrize("text", ["", "words", '{"n": 1', '{"n": NaN}', '{"n": "\\ud83d"}', "[" * 100_000, "1" * 5000])
def test_what_is_not_json_is_said(text: str):
    value, problem = read_json(text, {})
    assert value is None
    assert (problem or "").startswith("the answer is not JSON")


def test_where_it_does_not_match_is_said():
    value, problem = read_json('{"n": "one"}', NUMBER)
    assert value is None
    assert problem == "the JSON does not match json_schema at $.n: 'one' is not of type 'integer'"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"type": "nope"}, "is not a JSON Schema"),
    ({"properties": []}, "is not a JSON Schema"),
    ({"pattern": "("}, "the pattern '('"),
    ({"properties": {"a": {"pattern": "(?=a)b"}}}, "without look-around and back-references"),
    ({"patternProperties": {r"(a)\1": {}}}, "without look-around and back-references"),
    ({"unevaluatedProperties": False}, "use additionalProperties"),
    ({"$ref": "https://example.com/schema.json"}, "refers to 'https://example.com/schema.json'"),
    ({"items": [{}], "anyOf": [{"properties": {"a": {"$ref": "other.json#/x"}}}]}, "is not a JSON Schema"),
    ({"anyOf": [{"properties": {"a": {"$ref": "other.json#/x"}}}]}, "refers to 'other.json#/x'"),
]


@pytest.mark.parametrize(("schema", "words"), REFUSED)
def test_a_schema_that_cannot_be_used_is_refused(schema: dict[str, Any], words: str):
    with pytest.raises(InvalidRequest, match="json_schema") as caught:
        check_schema(schema)
    assert words in caught.value.message


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
        {"type": "object", "properties": {"$ref": {"type": "string"}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"},
    ],
)
def test_a_schema_that_can_be_used_is(schema: dict[str, Any]):
    check_schema(schema)
    assert read_json("{}", schema) == ({}, None)


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


def test_a_schema_nested_without_end_is_refused_and_no_crash():
    check_schema(deep(25))
    with pytest.raises(InvalidRequest, match="nested more than"):
        check_schema(deep(500))


SLOW = "a" * 40 + "!"
BOMB: dict[str, Any] = {
    "$ref": "#/$defs/d0",
    "$defs": {
        "d40": {"type": "object"},
        **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(40)},
    },
}


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ({"pattern": "^(a+)+$"}, SLOW, "does not match"),
        ({"patternProperties": {"^(a+)+$": {"type": "null"}}, "additionalProperties": False}, {SLOW: 1}, "not allowed"),
        ({"patternProperties": {"^(a+)+!$": {"type": "null"}}}, {SLOW: 1}, "is not of type 'null'"),
        ({"additionalProperties": {"type": "null"}, "properties": {"b": {}}}, {"a": 1, "b": 1}, "of type 'null'"),
        ({"uniqueItems": True}, [{"n": n} for n in range(9000)] + [{"n": 1}], "not all different"),
        (BOMB, {}, "takes too long"),
    ],
)
def test_no_schema_and_no_answer_can_make_the_check_last(
    monkeypatch: pytest.MonkeyPatch, schema: dict[str, Any], value: Any, problem: str
):
    monkeypatch.setattr(bounded, "LONGEST_SECONDS", 0.2)
    check_schema(schema)
    began = time.process_time()
    _, told = read_json(json.dumps(value), schema)
    assert problem in (told or "")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": r"^\d{3}-[a-z]+$"}, "123-abc"),
        ({"pattern": "b"}, 7),
        ({"patternProperties": {"^a": {"type": "null"}}, "additionalProperties": False}, {"ab": None}),
        ({"patternProperties": {"^a": {"type": "null"}}, "additionalProperties": {"type": "string"}}, {"b": "c"}),
        ({"additionalProperties": False, "properties": {"a": True}}, {"a": 1}),
        ({"additionalProperties": False}, []),
        ({"uniqueItems": True}, [1, "1", True, [1], {"a": 1}]),
    ],
)
def test_what_matches_is_read(schema: dict[str, Any], value: Any):
    check_schema(schema)
    assert read_json(json.dumps(value), schema) == (value, None)


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}, True),
        ({"type": "array", "items": {"type": "string"}}, True),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, False),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
    ],
)
def test_only_a_closed_schema_is_asked_for_strictly(schema: dict[str, Any], strict: bool):
    assert response_format(schema)["json_schema"] == {"name": "answer", "strict": strict, "schema": schema}


@pytest.mark.parametrize("schema", [{"$ref": "#/$defs/nowhere"}, {"$ref": "#"}])
def test_a_schema_that_leads_nowhere_or_in_circles_is_a_problem_and_no_crash(schema: dict[str, Any]):
    check_schema(schema)
    value, problem = read_json("1", schema)
    assert value is None
    assert (problem or "").startswith("json_schema cannot be applied")


@pytest.fixture
def visits() -> Iterator[tuple[str, list[str]]]:
    """A web server that notes who comes."""
    seen: list[str] = []

    class Noting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

    with HTTPServer(("127.0.0.1", 0), Noting) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_reference_in_a_schema_is_never_fetched(visits: tuple[str, list[str]]):
    url, seen = visits
    read_json("1", {"$ref": f"{url}/secret"})
    assert not seen


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_no_answer_crashes_the_check_and_what_is_read_can_be_kept(text: str):
    value, problem = read_json(text, {"type": ["array", "null", "number"]})
    assert value is None or problem is None
    json.dumps(value, ensure_ascii=False).encode()
