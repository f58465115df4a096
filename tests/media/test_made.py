"""What `make` makes: files, within their estimate, read back by any process."""

from __future__ import annotations

import base64
import json
import os
import stat
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import mcp_types
import pytest
from mcp import MCPError

from or_mcp.simulator.run.media import wav
from tests.conftest import Connect, Upstream, text_of

PAINTER, FILMER, WRITER = "openai/gpt-image-2", "google/veo-3.1", "openai/whisper-1"
SPEAKER = "openai/gpt-4o-mini-tts-2025-12-15"
HARBOUR = "A harbour at dawn"


@pytest.fixture
def sound(tmp_path: Path) -> str:
    """Three seconds of sound."""
    path = tmp_path / "heard.wav"
    path.write_bytes(wav("x" * 45))
    return str(path)


def everything(sound: str) -> dict[str, dict[str, Any]]:
    return {
        "image": {"model": PAINTER, "count": 2, "prompt": HARBOUR},
        "speech": {"model": SPEAKER, "voice": "nova", "prompt": "The harbour opens at six. " * 20},
        "video": {"model": FILMER, "seconds": 4, "prompt": HARBOUR},
        "transcript": {"model": WRITER, "format": "srt", "attachments": [sound]},
    }


async def blob(client: Any, uri: str) -> tuple[str | None, bytes]:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, mcp_types.BlobResourceContents)
    return content.mime_type, base64.b64decode(content.blob)


async def with_its_cost(client: Any, told: dict[str, Any]) -> dict[str, Any]:
    """The run, once upstream has told what it cost."""
    with anyio.fail_after(30):
        while told["cost_usd"] is None:
            await anyio.sleep(0.1)
            told = (await client.call_tool("run", {"run_id": told["run_id"]})).structured_content
    return told


@pytest.mark.parametrize("kind", ["image", "speech", "video", "transcript"])
async def test_each_kind_is_made_within_its_estimate_and_read_back_by_another_process(
    connect: Connect, sound: str, kind: str
):
    async with connect() as client:
        made = await client.call_tool("make", {"kind": kind, **everything(sound)[kind]})
        told = await with_its_cost(client, made.structured_content)
    estimate = told["cost_estimate_usd"]
    assert Decimal(str(estimate["low"])) <= Decimal(str(told["cost_usd"])) <= Decimal(str(estimate["high"]))
    assert estimate["high"] <= estimate["most"]
    async with connect() as other:
        again = (await other.call_tool("run", {"run_id": told["run_id"]})).structured_content
        assert again["files"] == made.structured_content["files"]
        assert again["tool"] == "make"
        for file in again["files"]:
            kept = Path(file["path"])
            assert await blob(other, file["uri"]) == (file["mime"], kept.read_bytes())
            assert file["bytes"] == kept.stat().st_size
            assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    links = [each for each in made.content if isinstance(each, mcp_types.ResourceLink)]
    assert [link.uri for link in links] == [file["uri"] for file in again["files"]]
    assert all(file["path"] in text_of(made) for file in again["files"])


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (PAINTER, {"count": 2}),
        (PAINTER, {"size": "4K"}),
        (PAINTER, {"aspect_ratio": "1:2"}),
        ("bytedance-seed/seedream-4.5", {"size": "4K"}),
        ("bytedance-seed/seedream-4.5", {"size": "2K"}),
        ("black-forest-labs/flux.2-pro", {"size": "2K", "aspect_ratio": "16:9"}),
        ("black-forest-labs/flux.2-pro", {}),
        (FILMER, {"seconds": 4, "size": "1080p"}),
        (FILMER, {"seconds": 4}),
    ],
)
async def test_of_whatever_size_nothing_costs_more_than_was_set_aside(
    connect: Connect, upstream: Upstream, model: str, given: dict[str, Any]
):
    upstream.script({"greedy": True, "dearest": True, "job_polls": 1})
    kind = "video" if model == FILMER else "image"
    async with connect() as client:
        made = await client.call_tool("make", {"kind": kind, "model": model, "prompt": HARBOUR, **given})
        told = await with_its_cost(client, made.structured_content)
    assert 0 < told["cost_usd"] <= told["cost_estimate_usd"]["most"]


async def test_pictures_tell_their_size_and_sound_and_films_how_long_they_are(connect: Connect, sound: str):
    async with connect() as client:
        rows = {
            kind: (await client.call_tool("make", {"kind": kind, **given})).structured_content["files"]
            for kind, given in everything(sound).items()
        }
    assert [(row["mime"], row["width"], row["height"]) for row in rows["image"]] == [("image/png", 64, 64)] * 2
    assert (rows["speech"][0]["mime"], rows["speech"][0]["seconds"]) == ("audio/wav", 4)
    assert (rows["video"][0]["mime"], rows["video"][0]["seconds"]) == ("video/mp4", 1)
    assert rows["transcript"][0]["name"] == "transcript.srt"


async def test_no_model_named_takes_a_current_one_and_says_which(connect: Connect, upstream: Upstream):
    async with connect() as client:
        told = (await client.call_tool("make", {"kind": "image", "prompt": HARBOUR})).structured_content
    assert upstream.posts("/images")[0].body["model"] == told["model"]
    assert f"No model was named: {told['model']} was taken." in told["notes"]


async def test_the_same_picture_asked_for_twice_is_paid_for_once_while_nobody_has_received_it(
    connect: Connect, upstream: Upstream
):
    given = {"kind": "image", "model": PAINTER, "prompt": HARBOUR}
    async with connect() as client:
        begun = (await client.call_tool("make", given | {"wait_seconds": 0})).structured_content
        again = (await client.call_tool("make", given)).structured_content
        anew = (await client.call_tool("make", given)).structured_content
    assert (again["run_id"], again["replayed"]) == (begun["run_id"], True)
    assert anew["run_id"] != begun["run_id"]
    # The same bytes stand on the shelf once.
    assert anew["files"][0]["path"] == again["files"][0]["path"]
    assert len(upstream.posts("/images")) == 2


async def test_a_ceiling_refuses_what_may_cost_more_and_nothing_is_sent(connect: Connect, upstream: Upstream):
    given = {"kind": "video", "model": FILMER, "seconds": 8, "prompt": HARBOUR, "max_cost_usd": 3}
    async with connect() as client:
        refused = await client.call_tool("make", given)
    assert refused.is_error
    assert text_of(refused).startswith("over_budget: The call is estimated at $3.2000 to $3.2000")
    assert upstream.posts("/videos") == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": "poem", "prompt": "x"}, 'kind was "poem"; it takes one of image, speech, video, transcript'),
        ({"kind": "image"}, "prompt is missing; kind image takes what to make of it"),
        ({"kind": "transcript"}, "attachments is missing; kind transcript takes the path of one sound file"),
        ({"kind": "speech", "prompt": "x", "count": 2}, "count was given with kind speech, which has none"),
        ({"kind": "video", "prompt": "x", "voice": "nova"}, "kinds with it: speech"),
        ({"kind": "image", "prompt": "x", "format": "gif"}, "format was 'gif'; kind image takes png, jpeg, webp, svg"),
        ({"kind": "video", "prompt": "x", "seconds": 5}, "seconds was 5; google/veo-3.1 makes videos of 4, 6, 8 s"),
        ({"kind": "video", "prompt": "x", "aspect_ratio": "1:1"}, "aspect_ratio was '1:1'; google/veo-3.1 takes 16:9"),
        ({"kind": "image", "prompt": "x", "model": "openai/gpt-5-mini"}, "openai/gpt-5-mini makes text, not image"),
    ],
)
async def test_what_a_kind_cannot_have_is_refused_by_name_and_nothing_is_sent(
    connect: Connect, upstream: Upstream, given: dict[str, Any], words: str
):
    async with connect() as client:
        refused = await client.call_tool("make", given)
    assert refused.is_error
    assert words in text_of(refused)
    assert not [each for each in upstream.requests if each.method == "POST"]


async def test_a_video_is_refused_where_nothing_may_be_kept_and_sound_is_asked_for_without(
    connect: Connect, upstream: Upstream
):
    async with connect(OR_MCP_ZDR="on") as client:
        refused = await client.call_tool("make", {"kind": "video", "prompt": HARBOUR})
        await client.call_tool("make", {"kind": "speech", "model": SPEAKER, "prompt": HARBOUR})
    assert refused.is_error
    assert "OR_MCP_ZDR=on does not allow" in text_of(refused)
    assert upstream.posts("/videos") == []
    assert [each.body["provider"] for each in upstream.posts("/audio/speech")] == [{"zdr": True}]


async def test_pictures_are_asked_only_of_those_who_keep_nothing_where_nothing_may_be_kept(
    connect: Connect, upstream: Upstream
):
    async with connect(OR_MCP_ZDR="on") as client:
        asked = await client.call_tool("make", {"kind": "image", "model": PAINTER, "prompt": HARBOUR})
    posts = upstream.posts("/images")
    if asked.is_error:
        assert "served by nobody who keeps nothing" in text_of(asked)
        assert posts == []
    else:
        assert posts[0].body["provider"]["only"]


async def test_sound_is_not_sent_where_a_provider_that_is_shut_out_may_serve_it(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_PROVIDERS_IGNORE="openai") as client:
        refused = await client.call_tool("make", {"kind": "speech", "model": SPEAKER, "prompt": HARBOUR})
    assert refused.is_error
    assert "which the operator's rules shut out" in text_of(refused)
    assert upstream.posts("/audio/speech") == []


async def test_another_caller_reads_no_file_of_this_one(connect: Connect):
    async with connect() as client:
        made = (await client.call_tool("make", {"kind": "image", "prompt": HARBOUR})).structured_content
    async with connect(OPENROUTER_API_KEY="sk-or-other") as other:
        with pytest.raises(MCPError, match="There is no run"):
            await other.read_resource(made["files"][0]["uri"])


async def test_a_picture_that_was_made_can_be_attached_by_its_path_and_by_its_uri(connect: Connect, upstream: Upstream):
    async with connect() as client:
        made = (await client.call_tool("make", {"kind": "image", "prompt": HARBOUR})).structured_content["files"][0]
        for reference in (made["path"], made["uri"]):
            answered = await client.call_tool(
                "ask", {"model": "openai/gpt-5-mini", "prompt": f"What is in {reference}?", "attachments": [reference]}
            )
            assert not answered.is_error
        changed = await client.call_tool("make", {"kind": "image", "prompt": "At night", "attachments": [made["uri"]]})
    assert not changed.is_error
    data = base64.b64encode(Path(made["path"]).read_bytes()).decode()
    assert [pictures_in(post.body["messages"]) for post in upstream.posts("/chat/completions")] == [[data], [data]]
    assert upstream.posts("/images")[1].body["input_references"][0]["image_url"]["url"].endswith(data)


def pictures_in(messages: Sequence[dict[str, Any]]) -> list[str]:
    parts: list[dict[str, Any]] = []
    for message in messages:
        parts += message["content"] if isinstance(message["content"], list) else []
    return [part["image_url"]["url"].partition(",")[2] for part in parts if part["type"] == "image_url"]


async def test_an_answer_with_files_is_short_in_both_forms(connect: Connect, sound: str):
    async with connect() as client:
        for kind, given in everything(sound).items():
            made = await client.call_tool("make", {"kind": kind, **given})
            assert len(text_of(made)) + len(json.dumps(made.structured_content)) <= 2_000


async def test_no_picture_in_the_reply_is_told_and_nothing_is_paid_again(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/images", "body": {"created": 1, "data": [], "usage": {"cost": 0.04}}})
    async with connect() as client:
        empty = await client.call_tool("make", {"kind": "image", "model": PAINTER, "prompt": HARBOUR})
    assert text_of(empty).startswith("upstream_failed: No picture came")
    assert "Spent: $0.0400" in text_of(empty)
    assert len(upstream.posts("/images")) == 1


async def test_files_go_when_their_runs_are_forgotten(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("or_mcp.runs.runner._FORGET_FIRST_AFTER_SECONDS", 0)
    async with connect() as client:
        made = (await client.call_tool("make", {"kind": "image", "prompt": HARBOUR})).structured_content["files"][0]
    old = time.time() - 40 * 86_400
    os.utime(made["path"], (old, old))
    async with connect() as client:
        with anyio.fail_after(20):
            while Path(made["path"]).exists():
                await anyio.sleep(0.05)
        with pytest.raises(MCPError, match="no longer"):
            await client.read_resource(made["uri"])
    assert list((tmp_path / "data" / "files").iterdir()) == []
