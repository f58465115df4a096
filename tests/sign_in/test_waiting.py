"""Waiting for a person ends, and reads what was typed as it was meant."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from or_mcp.sign_in.waiting import typed_line

PATIENCE = 10


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Generator[int]:
    """What a person types into."""
    read, write = os.pipe()
    with os.fdopen(read) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield write
        os.close(write)


@pytest.mark.parametrize("typed", [b"code\n", b"  code \r\n", b"code\nmore\n"])
def test_a_line_is_read_without_what_surrounds_it(keyboard: int, typed: bytes):
    os.write(keyboard, typed)
    assert typed_line(PATIENCE) == "code"


def test_what_is_not_ascii_is_no_crash(keyboard: int):
    os.write(keyboard, "кот\n".encode())
    assert typed_line(PATIENCE)


def test_nobody_typing_is_told_from_an_empty_line(keyboard: int):
    assert typed_line(0.05) is None
    os.write(keyboard, b"\n")
