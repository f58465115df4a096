"""Attachments and prompts are kept once, however many runs refer to them, and no longer than a run does."""

from __future__ import annotations

import base64
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from or_mcp.runs.pieces import LONG, Context
from tests.conftest import Connect, Upstream

SEES = "openai/gpt-5-mini"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def file(environment: dict[str, str]) -> Path:
    """Where the store is."""
    return Path(environment["OR_MCP_DATA_DIR"]) / "runs.sqlite3"


def kept_bytes(file: Path) -> int:
    """How large the store is, its log included, once it has been put in order."""
    with closing(sqlite3.connect(file)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.execute("VACUUM")
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size


async def converse(client: Any, turns: int, **first: Any) -> list[str]:
    """A conversation of so many turns: its runs."""
    runs: list[str] = []
    for number in range(turns):
        given = first if not runs else {"continue_run": runs[-1], "prompt": f"And then {number}?"}
        told = await client.call_tool("ask", {"model": SEES, "attachments": first.get("attachments", [])} | given)
        assert not told.is_error, told
        runs.append(told.structured_content["run_id"])
    return runs


@pytest.mark.parametrize(
    ("turns", "size"),
    [(6, 1_000_000), pytest.param(12, 20_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])],
)
async def test_a_file_in_a_conversation_is_kept_once_and_sent_each_time_as_it_was(
    connect: Connect, upstream: Upstream, file: Path, tmp_path: Path, turns: int, size: int
):
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG + os.urandom(size - len(PNG)))
    async with connect() as client:
        await converse(client, turns, prompt="What is it?", attachments=[str(picture)])
    assert kept_bytes(file) < size * 1.3
    url = f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"
    sent = [post.body["messages"] for post in upstream.posts("/chat/completions")]
    assert [len(messages) for messages in sent] == list(range(1, 2 * turns, 2))
    assert all(messages[0]["content"][1]["image_url"]["url"] == url for messages in sent)


async def test_a_long_prompt_is_kept_once_and_told_whole_by_whoever_reads_the_run(
    connect: Connect, upstream: Upstream, file: Path
):
    prompt = "Пример " + "долгого текста " * 20_000
    async with connect() as client:
        *_, last = runs = await converse(client, 3, prompt=prompt)
    assert kept_bytes(file) < len(prompt.encode()) * 1.5
    async with connect() as client:
        request = await client.call_tool("run", {"run_id": runs[0], "part": "request"})
        rows = (await client.call_tool("run", {})).structured_content["runs"]
        await client.call_tool("ask", {"model": SEES, "prompt": "And?", "continue_run": last})
    assert request.structured_content["total_chars"] > len(prompt)
    assert request.structured_content["text"].startswith('{\n "model"')
    assert rows[-1]["prompt"] == prompt[:80].strip()
    assert upstream.posts()[-1].body["messages"][0]["content"] == prompt


@pytest.mark.usefixtures("forgets_at_once")
async def test_what_no_run_refers_to_any_more_is_forgotten(connect: Connect, file: Path, tmp_path: Path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG + os.urandom(1_000_000))
    async with connect() as client:
        await converse(client, 2, prompt="What is it?" * LONG, attachments=[str(picture)])
    async with connect(OR_MCP_RETENTION_DAYS="0"):
        with anyio.fail_after(120):
            while kept_bytes(file) > 200_000:
                await anyio.sleep(0.1)
    with closing(sqlite3.connect(file)) as store:
        assert store.execute("SELECT count(*) FROM pieces").fetchone() == (0,)


@pytest.mark.parametrize(
    "text",
    [
        "short",
        "a" * LONG,
        "a" * (LONG + 1),
        "data:image/png;base64," + "QUJD" * LONG,
        "data:image/png;base64," + "QUJD" * LONG + "QQ==",
        # Not as it would be written again: the last character has bits that count for nothing.
        "data:image/png;base64," + "QUJD" * LONG + "QR==",
        "data:image/png;base64," + "QUJD" * LONG + "\n",
        "QUJD" * (1 << 19),
        "é" * LONG + ";base64,QUJD",
        "",
    ],
)
def test_whatever_is_kept_comes_back_as_it_was(text: str):
    value = {"messages": [{"content": [{"text": text}, text, "x"]}], "apart from": text, "n": 1.5}
    kept = Context.of(value)
    assert kept.value() == value
    assert len(kept.text) < 4 * LONG
