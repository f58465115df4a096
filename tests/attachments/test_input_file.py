"""Lines of an input file, plain or JSONL."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from or_mcp.attachments import lines as room
from or_mcp.attachments.lines import read_lines
from or_mcp.openrouter.errors import InvalidRequest
from tests.attachments.world import CANARY, World


async def read(world: World, data: bytes, name: str = "texts") -> tuple[str, ...]:
    return await read_lines(world.write(name, data), world.sandbox)


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"one\ntwo\n", ("one", "two")),
        (b"one\r\n\r\n  two \r\n \nthree", ("one", "  two ", "three")),
        (b"\xef\xbb\xbfone", ("one",)),
        ("a\u2028b\x85c\x0bd\ne".encode(), ("a\u2028b\x85c\x0bd", "e")),
        (b"{not json}\n{", ("{not json}", "{")),
        (b'{"title": "no text"}\n', ('{"title": "no text"}',)),
        (b'[{"text": "a"}]\n', ('[{"text": "a"}]',)),
        (b'{"text": "a"}\n\n{"id": 1, "text": " b\\nc"}\n', ("a", " b\nc")),
        (b'\n {"text": "a"}', ("a",)),
        (b"[" * 100_000, ("[" * 100_000,)),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_each_line_with_something_in_it_is_a_text(fresh: World, data: bytes, texts: tuple[str, ...]) -> None:
    assert await read(fresh, data) == texts


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.jsonl", b'{"text": "a"}\nplain', "line 2 of 'a.jsonl' is not a JSON object"),
        ("a.jsonl", b"plain", "line 1 of 'a.jsonl' is not a JSON object"),
        ("a.ndjson", b'\n\n["a"]', "line 3 of 'a.ndjson' is not a JSON object"),
        ("a.jsonl", b'{"title": "a"}', "line 1 of 'a.jsonl' has no \"text\""),
        ("a", b'{"text": "a"}\n{"text": 7}', "line 2 of 'a' has no \"text\""),
        ("a", b'{"text": "a"}\n{"text": " "}', "line 2 of 'a' has no \"text\""),
        ("a", b'{"text": "a"}\n{"text": "\\ud800"}', "line 2 of 'a' holds half of a surrogate pair"),
        ("a", b'{"text": "a"}\n' + b"[" * 100_000, "line 2 of 'a' is not a JSON object"),
        ("a", b'{"text": "a"}\n{"text": "b", "n": ' + b"1" * 5000 + b"}", "line 2 of 'a' is not a JSON object"),
        ("a", b"one\ntw\xffo", "line 2 of 'a' is not UTF-8"),
        ("a", b"\xef\xbb\xbfone\ntwo\nthr\xffee", "line 3 of 'a' is not UTF-8"),
        ("a", b"one\n\x00", "line 2 of 'a' holds a NUL"),
        ("a", b"", "'a' has no lines with text"),
        ("a", b" \n\r\n", "'a' has no lines with text"),
        ("a", b"x\nghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6", "GitHub token in line 2"),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_a_line_that_cannot_be_used_is_named(fresh: World, name: str, data: bytes, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await read(fresh, data, name)
    assert refused.value.message.startswith("input_file: ")
    assert words in refused.value.message


@pytest.mark.parametrize(
    "path", ["link", "../outside/canary.txt", "/proc/self/environ", "fifo", "file:///etc/passwd", "sub"]
)
async def test_it_is_read_from_the_allowed_directories_only(world: World, path: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^input_file: ") as refused:
        await read_lines(path, world.sandbox)
    assert CANARY.decode() not in refused.value.message


async def test_a_file_over_the_limit_is_refused(fresh: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert room.FILE_LIMIT == 64_000_000
    monkeypatch.setattr(room, "FILE_LIMIT", 5)
    assert await read(fresh, b"12345") == ("12345",)
    with pytest.raises(InvalidRequest, match="'texts' is larger than the 5 bytes"):
        await read(fresh, b"123456")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=1).filter(str.strip).filter(lambda text: "\0" not in text), min_size=1))
async def test_jsonl_gives_back_the_texts_that_were_written(fresh: World, texts: list[str]) -> None:
    data = "\n".join(json.dumps({"text": text}) for text in texts)
    assert await read(fresh, data.encode(), "a.jsonl") == tuple(texts)
