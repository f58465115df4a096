"""What `ask` keeps of models that draw and speak, and that nothing of it reaches a context or stalls anybody."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mcp_types
import pytest

from or_mcp.conversation import keeping
from or_mcp.files import shelf
from or_mcp.host import resources
from or_mcp.openrouter import reading
from or_mcp.simulator.run.media import png
from tests.conftest import Connect, Upstream, text_of

PAINTER, SPEAKER, READER = "google/gemini-3.1-flash-image", "openai/gpt-audio", "openai/gpt-oss-120b:free"
SEES = "openai/gpt-5-mini"
TWENTY_MEGABYTES = 20_000_000


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return "data: " + json.dumps({"id": "gen-1", "model": PAINTER, "choices": [choice], **more}) + "\n\n"


def drawn(data: bytes) -> str:
    """A stream with one picture."""
    url = "data:image/png;base64," + base64.b64encode(data).decode()
    picture = {"type": "image_url", "index": 0, "image_url": {"url": url}}
    usage = {"prompt_tokens": 5, "completion_tokens": 1290, "cost": 0.0387}
    said = chunk({"content": "Here it is."}) + chunk({"content": "", "images": [picture]})
    return said + chunk({"content": ""}, "stop", usage=usage) + "data: [DONE]\n\n"


def large_picture() -> bytes:
    """A picture of twenty megabytes: its head, and much that nobody can compress."""
    head = png("large", width=64, height=64)
    return head + os.urandom(TWENTY_MEGABYTES - len(head))


async def test_a_picture_that_comes_with_an_answer_is_kept_and_told(connect: Connect):
    async with connect() as client:
        answered = await client.call_tool("ask", {"model": PAINTER, "prompt": "Draw a harbour"})
    told = answered.structured_content
    (file,) = told["files"]
    assert (file["mime"], file["width"], file["height"]) == ("image/png", 64, 64)
    assert Path(file["path"]).stat().st_size == file["bytes"]
    assert "1 file, kept outside of this text" in text_of(answered)
    assert file["path"] in text_of(answered)
    assert told["cost_estimate_usd"]["low"] <= told["cost_usd"] <= told["cost_estimate_usd"]["high"]


async def test_it_is_asked_for_and_its_most_is_set_aside(connect: Connect, upstream: Upstream):
    async with connect() as client:
        refused = await client.call_tool(
            "ask", {"model": PAINTER, "prompt": "Draw", "max_output_tokens": 100, "max_cost_usd": 0.02}
        )
        assert refused.is_error
        assert text_of(refused).startswith("over_budget")
        await client.call_tool("ask", {"model": PAINTER, "prompt": "Draw"})
        await client.call_tool("ask", {"model": SEES, "prompt": "Say"})
    bodies = [post.body for post in upstream.posts("/chat/completions")]
    assert [body.get("modalities") for body in bodies] == [["text", "image"], None]


async def test_sound_is_kept_as_a_file_that_can_be_played_and_its_words_are_the_text(
    connect: Connect, upstream: Upstream
):
    async with connect() as client:
        answered = await client.call_tool("ask", {"model": SPEAKER, "prompt": "Say hello"})
    told = answered.structured_content
    (file,) = told["files"]
    assert (file["mime"], file["seconds"]) == ("audio/wav", 4)
    assert told["text"].startswith("[simulated]")
    assert upstream.posts("/chat/completions")[0].body["audio"] == {"voice": "alloy", "format": "pcm16"}
    assert told["cost_usd"] <= told["cost_estimate_usd"]["most"]


async def test_what_had_been_said_is_kept_where_the_stream_breaks(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "cut_at_event": 6})
    async with connect() as client:
        broken = await client.call_tool("ask", {"model": SPEAKER, "prompt": "Say hello"})
        assert text_of(broken).startswith("stream_broken")
        run_id = text_of(broken).partition("Run: ")[2].split()[0]
        told = (await client.call_tool("run", {"run_id": run_id})).structured_content
    assert told["files"][0]["mime"] == "audio/wav"


async def test_a_conversation_goes_on_with_its_pictures_for_whoever_sees_them(connect: Connect, upstream: Upstream):
    async with connect() as client:
        first = (await client.call_tool("ask", {"model": PAINTER, "prompt": "Draw"})).structured_content
        again = {"continue_run": first["run_id"], "prompt": "What is in it?"}
        seen = (await client.call_tool("ask", again | {"model": SEES})).structured_content
        third = await client.call_tool("ask", again | {"model": SEES, "continue_run": seen["run_id"]})
        unseen = await client.call_tool("ask", again | {"model": READER})
    assert not third.is_error
    data = base64.b64encode(Path(first["files"][0]["path"]).read_bytes()).decode()
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    sent = [[m.get("images") for m in post.body["messages"] if m.get("images")] for post in upstream.posts()[1:]]
    assert sent == [[[image]], [[image]], []]
    assert f"{READER} sees no pictures: those of this conversation were left out." in text_of(unseen)


@pytest.mark.timeout(180)
async def test_twenty_megabytes_leave_no_trace_in_any_context_and_none_on_the_event_loop(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    on_loop: list[bool] = []
    data = large_picture()
    upstream.script({"path": "/chat/completions", "body": drawn(data), "content_type": "text/event-stream"})
    monkeypatch.setattr(reading, "event_of", noting(reading.event_of, on_loop))
    for room, name in ((keeping, "decoded"), (shelf, "sha256"), (resources, "encoded")):
        monkeypatch.setattr(room, name, noting(getattr(room, name), on_loop))
    async with connect() as client:
        answered = await client.call_tool("ask", {"model": PAINTER, "prompt": "Draw"})
        told = answered.structured_content
        assert len(text_of(answered)) + len(json.dumps(told)) <= 2_000
        (file,) = told["files"]
        assert Path(file["path"]).read_bytes() == data
        run = await client.call_tool("run", {"run_id": told["run_id"]})
        assert len(text_of(run)) + len(json.dumps(run.structured_content)) <= 2_000
        (whole,) = (await client.read_resource(f"openrouter://runs/{told['run_id']}")).contents
        assert isinstance(whole, mcp_types.TextResourceContents)
        assert len(whole.text) < 5_000
        (content,) = (await client.read_resource(file["uri"])).contents
        assert isinstance(content, mcp_types.BlobResourceContents)
        assert base64.b64decode(content.blob) == data
    assert on_loop == [False] * 4


def noting(work: Callable[..., Any], on_loop: list[bool]) -> Callable[..., Any]:
    """The same, noting of what is long whether it is done where the loop runs."""
    loop = threading.get_ident()

    def noted(first: Any = b"", *more: Any) -> Any:
        if len(first) > TWENTY_MEGABYTES // 2:
            on_loop.append(threading.get_ident() == loop)
        return work(first, *more)

    return noted


async def test_as_many_bytes_from_the_pictures_path_are_as_quiet(connect: Connect, upstream: Upstream):
    data = large_picture()
    reply = {"created": 1, "data": [{"b64_json": base64.b64encode(data).decode(), "media_type": "image/png"}]}
    upstream.script({"path": "/images", "body": reply | {"usage": {"cost": 0.04}}})
    async with connect() as client:
        made = await client.call_tool("make", {"kind": "image", "prompt": "Draw"})
    told = made.structured_content
    assert len(text_of(made)) + len(json.dumps(told)) <= 2_000
    assert Path(told["files"][0]["path"]).read_bytes() == data


async def test_a_full_disk_is_said_and_what_was_written_is_not_taken_for_it(connect: Connect, tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "files").write_text("in the way")
    async with connect() as client:
        failed = await client.call_tool("make", {"kind": "image", "prompt": "Draw"})
    assert text_of(failed).startswith("internal: What was made could not be written to")
    assert "Spent: $" in text_of(failed)
