"""The event reader takes any split of the bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mcp.openrouter.sse import EventReader, EventTooLarge

SAMPLES = sorted(Path(__file__).parents[1].joinpath("data/samples").glob("*.sse"))


def read(*chunks: bytes, limit: int = 1000) -> list[str]:
    reader = EventReader(limit)
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return [*events, *reader.end()]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_reads_the_same_whole_and_byte_by_byte(path: Path):
    data = path.read_bytes()
    whole = read(data, limit=10**7)
    assert whole == read(*(bytes([byte]) for byte in data), limit=10**7)
    assert whole[-1] == "[DONE]" or "error" in path.stem


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)), st.data())
def test_any_split_of_any_line_endings_gives_the_same_events(texts: list[str], data: st.DataObject):
    ends = [data.draw(st.sampled_from(["\n", "\r\n", "\r"])) for _ in texts]
    stream = "".join(f"data: {text}{end}: comment{end}{end}" for text, end in zip(texts, ends, strict=True)).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(*parts) == texts


def test_a_character_split_between_chunks_stays_whole():
    data = "data: né🙂\n\n".encode()
    assert read(*(data[i : i + 1] for i in range(len(data)))) == ["né🙂"]


def test_comments_names_and_ids_are_skipped():
    assert read(b": keep-alive\n:\nevent: x\nid: 7\nretry: 5\ndata: a\n\n") == ["a"]


def test_several_data_lines_are_one_event():
    assert read(b"data: a\ndata:b\n\n") == ["a\nb"]


def test_a_byte_order_mark_is_skipped():
    assert read(b"\xef\xbb", b"\xbfdata: a\n\n") == ["a"]


def test_an_event_that_was_open_at_the_end_is_given():
    assert read(b"data: a") == ["a"]


def test_an_event_larger_than_any_real_one_is_refused():
    with pytest.raises(EventTooLarge):
        read(b"data: " + b"x" * 2000)


def test_a_large_event_in_many_lines_is_refused_too():
    with pytest.raises(EventTooLarge):
        read(*[b"data: " + b"x" * 90 + b"\n"] * 20)


def test_many_comments_are_not_mistaken_for_a_large_event():
    assert read(*[b": OPENROUTER PROCESSING\n"] * 500, b"data: a\n\n") == ["a"]


def test_an_empty_chunk_changes_nothing():
    assert read(b"data: a\r", b"", b"\n\r\n") == ["a"]
