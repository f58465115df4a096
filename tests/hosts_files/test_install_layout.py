"""What is added looks as if the person had written it."""

from __future__ import annotations

import pytest

from or_mcp.hosts.json_edit import cut, put


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{\n  "s": {\n    "a": 1,\n  },\n}', '{\n  "s": {\n    "a": 1,\n    "o": {\n      "x": [1]\n    },\n  },\n}'),
        ('{\n\t"s": {\n\t\t"a": 1\n\t}\n}', '{\n\t"s": {\n\t\t"a": 1,\n\t\t"o": {\n\t\t\t"x": [1]\n\t\t}\n\t}\n}'),
        ('{"s":{"a":1}}', '{"s":{"a":1,"o":{"x":[1]}}}'),
        ('{ "s": { "a": 1, } }', '{ "s": { "a": 1, "o": {"x": [1]}, } }'),
        ('{\n  "s": {}\n}', '{\n  "s": {\n    "o": {\n      "x": [1]\n    }\n  }\n}'),
        (
            '{\n  "s": {\n    "a": 1 // one\n    // two\n  }\n}',
            '{\n  "s": {\n    "a": 1, // one\n    // two\n    "o": {\n      "x": [1]\n    }\n  }\n}',
        ),
        (
            '{\r\n    "s": {}\r\n}',
            '{\r\n    "s": {\r\n        "o": {\r\n            "x": [1]\r\n        }\r\n    }\r\n}',
        ),
    ],
)
def test_a_member_is_laid_out_as_its_neighbours_and_leaves_no_trace(before: str, after: str):
    assert put(before, ("s", "o"), {"x": [1]}) == after
    assert cut(after, ("s", "o")) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"o": 1, "a": 2}', '{"a": 2}'),
        ('{"a": 2, "o": 1, "b": 3}', '{"a": 2, "b": 3}'),
        ('{\n  "o": 1, // mine\n  "a": 2\n}', '{\n  // mine\n  "a": 2\n}'),
        ('{\n  "a": 2\n  , "o": 1\n}', '{\n  "a": 2\n  \n}'),
        ('{\n  "o": 1 /* , */ , "a": 2\n}', '{\n  /* , */  "a": 2\n}'),
        ('{\n  "a": 2, "o": 1 }', '{\n  "a": 2 }'),
        ('{"o": 1, "o": {"again": 2}}', "{}"),
    ],
)
def test_a_member_is_cut_out_wherever_it_stands(before: str, after: str):
    assert cut(before, ("o",)) == after
