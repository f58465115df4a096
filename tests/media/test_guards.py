"""What is paid for is kept whole, by its content, for its owner alone; what it may have cost is told."""

from __future__ import annotations

import base64
import os
import stat
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import pytest

from or_mcp.files.encoded import decoded
from or_mcp.files.shelf import Shelf
from or_mcp.simulator.run.media import png
from tests.conftest import Connect, Upstream, text_of

FILM = {"kind": "video", "model": "google/veo-3.1", "seconds": 4, "prompt": "A harbour at dawn"}
PICTURE = {"kind": "image", "model": "openai/gpt-image-2", "prompt": "A harbour"}
SPEECH = {"kind": "speech", "model": "openai/gpt-4o-mini-tts-2025-12-15", "prompt": "The harbour opens at six."}
COST = 1.6


def image(data: bytes) -> dict[str, str]:
    return {"b64_json": base64.b64encode(data).decode(), "media_type": "image/png"}


async def finished(client: Any, told: dict[str, Any]) -> dict[str, Any]:
    with anyio.fail_after(90):
        while told["status"] == "running":
            told = (await client.call_tool("run", {"run_id": told["run_id"], "wait_seconds": 5})).structured_content
    return told


async def job_begun(client: Any, upstream: Upstream) -> tuple[dict[str, Any], str]:
    """A film that was sent, and its job."""
    told = (await client.call_tool("make", FILM | {"wait_seconds": 0})).structured_content
    with anyio.fail_after(60):
        while not upstream.posts("/videos"):
            await anyio.sleep(0.02)
    return told, next(iter(upstream._state.jobs))  # pyright: ignore[reportPrivateUsage]


async def test_files_stand_under_the_hash_of_their_content_for_their_owner_alone(connect: Connect, upstream: Upstream):
    async with connect() as client:
        for given in (PICTURE, FILM):
            told = await finished(client, (await client.call_tool("make", given)).structured_content)
            path = Path(told["files"][0]["path"])
            assert path.stem == sha256(path.read_bytes()).hexdigest()
            assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)


async def test_a_file_that_a_second_run_made_too_is_as_young_as_that(connect: Connect, upstream: Upstream):
    async with connect() as client:
        path = Path((await client.call_tool("make", PICTURE)).structured_content["files"][0]["path"])
        old = time.time() - 40 * 86_400
        os.utime(path, (old, old))
        again = await client.call_tool("make", PICTURE)
    assert again.structured_content["files"][0]["path"] == str(path)
    assert path.stat().st_mtime > time.time() - 86_400


async def test_a_film_that_breaks_off_is_fetched_again_and_leaves_nothing_behind(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/videos", "job_polls": 3})
    async with connect() as client:
        begun, job = await job_begun(client, upstream)
        content = f"/videos/{job}/content"
        upstream.script({"path": content, "reset_at_event": 1, "chunk_size": 16, "times": 2})
        told = await finished(client, begun)
    assert (told["status"], told["cost_usd"]) == ("completed", COST)
    path = Path(told["files"][0]["path"])
    assert list(path.parent.iterdir()) == [path]
    assert len([each for each in upstream.requests if each.path == content]) == 3
    assert len(upstream.posts("/videos")) == 1


async def test_a_film_that_was_deleted_upstream_is_told_as_perhaps_billed(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/videos", "job_polls": 3})
    async with connect() as client:
        begun, job = await job_begun(client, upstream)
        upstream.script({"path": f"/videos/{job}/content", "status": 404})
        gone = await finished(client, begun)
    assert gone["status"] == "failed"
    assert gone["error"].startswith("upstream_failed: The video expired upstream before it was fetched")
    assert gone["cost_usd"] == COST
    assert len(upstream.posts("/videos")) == 1


async def test_a_job_that_upstream_has_forgotten_ends_its_run_as_perhaps_billed(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/videos", "job_polls": 50})
    async with connect() as client:
        _, job = await job_begun(client, upstream)
        upstream.script({"path": f"/videos/{job}", "status": 404})
        failed = await client.call_tool("make", FILM | {"wait_seconds": 60})
    assert text_of(failed).startswith("upstream_failed: Upstream does not know this video any more")
    assert "Spent: unknown" in text_of(failed)
    assert len(upstream.posts("/videos")) == 1


@pytest.mark.parametrize(
    ("where", "status", "words"),
    [
        ("", 401, "not_authorized: OpenRouter did not accept the key for this"),
        ("/content", 401, "not_authorized: OpenRouter did not accept the key for this"),
        ("/content", 410, "upstream_failed: The video expired upstream before it was fetched"),
        ("/content", 503, "upstream_failed: "),
    ],
)
async def test_whatever_becomes_of_a_film_that_was_sent_it_is_told_as_it_is_and_as_perhaps_billed(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, where: str, status: int, words: str
):
    monkeypatch.setattr("or_mcp.media.filming._DOWNLOADS", 1)
    upstream.script({"path": "/videos", "job_polls": 50})
    async with connect() as client:
        _, job = await job_begun(client, upstream)
        done = {"path": f"/videos/{job}", "body": {"id": job, "status": "completed"}}
        upstream.script({"path": f"/videos/{job}{where}", "status": status}, *([done] if where else []))
        failed = await client.call_tool("make", FILM | {"wait_seconds": 60})
    assert text_of(failed).startswith(words)
    assert "Spent: unknown" in text_of(failed)
    assert len(upstream.posts("/videos")) == 1


async def test_a_film_that_the_disk_refuses_has_not_expired(connect: Connect, upstream: Upstream, tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "files").write_text("in the way")
    async with connect() as client:
        failed = await client.call_tool("make", FILM | {"wait_seconds": 60})
    assert text_of(failed).startswith("internal: What was made could not be written to")
    assert f"Spent: ${COST}" in text_of(failed)


async def test_of_two_clips_each_is_fetched_once(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/videos", "job_polls": 50})
    async with connect() as client:
        begun, job = await job_begun(client, upstream)
        urls = [f"{upstream.base_url}/videos/{job}/content?index={n}" for n in (0, 1)]
        done = {"id": job, "status": "completed", "unsigned_urls": urls, "usage": {"cost": COST, "is_byok": False}}
        clip = {"body": "\0\0\0\x18ftypmp42 a clip", "content_type": "video/mp4"}
        content = f"/videos/{job}/content"
        upstream.script({"path": f"/videos/{job}", "body": done}, {"path": content, **clip})
        told = await finished(client, begun)
    assert [file["name"] for file in told["files"]] == ["video-1.mp4", "video-2.mp4"]
    assert len([each for each in upstream.requests if each.path == content]) == 2


@pytest.mark.parametrize(
    ("usage", "spent"), [({"usage": {"cost": 0.04}}, "Spent: $0.0400"), ({}, "Spent: unknown")], ids=["told", "untold"]
)
async def test_no_picture_is_told_with_what_it_may_have_cost(
    connect: Connect, upstream: Upstream, usage: dict[str, Any], spent: str
):
    upstream.script({"path": "/images", "body": {"created": 1, "data": [{"b64_json": "no base64!"}], **usage}})
    async with connect() as client:
        empty = await client.call_tool("make", PICTURE)
    assert text_of(empty).startswith("upstream_failed: No picture came")
    assert spent in text_of(empty)


async def test_of_several_pictures_those_that_can_be_read_are_kept(connect: Connect, upstream: Upstream):
    data = [image(png("one", width=64, height=64)), {"b64_json": "no base64!"}]
    upstream.script({"path": "/images", "body": {"created": 1, "data": data, "usage": {"cost": 0.08}}})
    async with connect() as client:
        told = (await client.call_tool("make", PICTURE | {"count": 2})).structured_content
    assert (len(told["files"]), told["cost_usd"]) == (1, 0.08)


async def test_what_a_provider_bills_to_whoever_brought_its_key_is_told(connect: Connect, upstream: Upstream):
    usage = {"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.03}}
    data = [image(png("one", width=64, height=64))]
    upstream.script({"path": "/images", "body": {"created": 1, "data": data, "usage": usage}})
    async with connect() as client:
        made = await client.call_tool("make", PICTURE)
    assert "Cost: $0.0100, and $0.0300 billed by your provider" in text_of(made)


@pytest.mark.parametrize(
    "reply",
    [{"body": {"error": {"code": 500, "message": "x"}}}, {"body": "", "content_type": "audio/pcm"}],
    ids=["JSON", "nothing"],
)
async def test_a_reply_that_is_no_sound_is_told_as_perhaps_billed_and_kept_as_nothing(
    connect: Connect, upstream: Upstream, tmp_path: Path, reply: dict[str, Any]
):
    upstream.script({"path": "/audio/speech", **reply})
    async with connect() as client:
        failed = await client.call_tool("make", SPEECH)
    assert failed.is_error
    assert "Spent: unknown" in text_of(failed)
    assert not list((tmp_path / "data").glob("files/*"))
    assert len(upstream.posts("/audio/speech")) == 1


async def test_a_picture_that_the_disk_refuses_is_told_as_perhaps_billed(
    connect: Connect, upstream: Upstream, tmp_path: Path
):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "files").write_text("in the way")
    data = [image(png("one", width=64, height=64))]
    upstream.script({"path": "/images", "body": {"created": 1, "data": data}})
    async with connect() as client:
        failed = await client.call_tool("make", PICTURE)
    assert text_of(failed).startswith("internal: What was made could not be written to")
    assert "Spent: unknown" in text_of(failed)


async def test_files_of_a_program_that_keeps_nothing_go_with_it(
    connect: Connect, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with connect(OR_MCP_STORE="off") as client:
        path = Path((await client.call_tool("make", PICTURE)).structured_content["files"][0]["path"])
        assert path.exists()
        assert not path.is_relative_to(tmp_path / "data")
    assert not path.parent.exists()


def test_a_shelf_hands_out_nothing_that_stands_elsewhere(tmp_path: Path):
    shelf = Shelf(tmp_path / "data")
    made = shelf.put(png("one", width=64, height=64), "image")
    (tmp_path / "data" / "secret").write_text("sk-or-")
    assert (shelf.data_url(made.stored) or "").startswith("data:image/png;base64,")
    assert shelf.data_url("../secret") is None
    assert shelf.data_url(str(tmp_path / "data" / "secret")) is None


@pytest.mark.parametrize("text", ["é", "data:image/png;base64", "data:image/png;base64,é", "", "no base64!", "data:,"])
def test_what_is_no_base64_is_none(text: str):
    assert decoded(text) is None
