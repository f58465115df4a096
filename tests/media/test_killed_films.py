"""A video is a job that upstream carries: whatever is killed, it is sent once, billed once, and arrives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from or_mcp.runs.jobs import Jobs
from or_mcp.runs.live import LiveRun
from or_mcp.runs.store import Store
from tests.conftest import Connect, Upstream, text_of
from tests.postgres import needs_postgres
from tests.runs.program import Killable, started

FILM = {"kind": "video", "model": "google/veo-3.1", "seconds": 4, "prompt": "A harbour at dawn"}
COST = 1.6


async def spent(upstream: Upstream) -> float:
    """What upstream has charged."""
    async with httpx2.AsyncClient(headers={"Authorization": "Bearer sk-or-test"}) as client:
        return (await client.get(f"{upstream.base_url}/key")).json()["data"]["usage"]


async def begun(server: Killable) -> str:
    told = (await server.client.call_tool("make", FILM | {"wait_seconds": 0})).structured_content
    assert told["status"] == "running"
    return told["run_id"]


async def job_of(server: Killable, run_id: str) -> str:
    """The job's id, once it is on disk."""
    with anyio.fail_after(60):
        while True:
            events = text_of(await server.client.call_tool("run", {"run_id": run_id, "part": "events"}))
            for line in events.splitlines():
                if " accepted " in line:
                    return line.split()[-1]
            await anyio.sleep(0.02)


async def asked(upstream: Upstream, path: str, seen: int = 0) -> None:
    """Somebody has asked for this, after so many other requests, and is being kept waiting."""
    with anyio.fail_after(60):
        while not any(each.path == path for each in upstream.requests[seen:]):
            await anyio.sleep(0.02)


def done(upstream: Upstream, job: str) -> None:
    """It is filmed: whoever asks next is told."""
    upstream._state.jobs[job].polls = 50  # pyright: ignore[reportPrivateUsage]


async def arrived(server: Killable, run_id: str) -> dict[str, Any]:
    with anyio.fail_after(90):
        while True:
            told = (await server.client.call_tool("run", {"run_id": run_id, "wait_seconds": 5})).structured_content
            if told["status"] != "running":
                return told
            await anyio.sleep(0.1)


async def check_whole(upstream: Upstream, told: dict[str, Any]) -> None:
    assert (told["status"], told["cost_usd"]) == ("completed", COST)
    (file,) = told["files"]
    assert Path(file["path"]).read_bytes()[4:8] == b"ftyp"
    assert len(upstream.posts("/videos")) == 1
    assert await spent(upstream) == COST


@pytest.mark.parametrize("step", ["accepted", "filming", "fetching"])
async def test_killed_at_any_step_after_it_was_accepted_the_next_process_brings_it(
    upstream: Upstream, environment: dict[str, str], step: str
):
    upstream.script({"path": "/videos", "job_polls": 50})
    async with started(environment) as server:
        run_id = await begun(server)
        job = await job_of(server, run_id)
        if step == "filming":
            seen = len(upstream.requests)
            upstream.script({"path": f"/videos/{job}", "latency_ms": 60_000})
            await asked(upstream, f"/videos/{job}", seen)
        if step == "fetching":
            content = f"/videos/{job}/content"
            upstream.script({"path": content, "chunk_size": 16, "chunk_latency_ms": 30_000})
            done(upstream, job)
            await asked(upstream, content)
        await server.kill()
    upstream.script()
    done(upstream, job)
    async with started(environment) as server:
        await check_whole(upstream, await arrived(server, run_id))


async def test_killed_between_two_clips_the_next_process_fetches_what_is_missing(
    upstream: Upstream, environment: dict[str, str]
):
    upstream.script({"path": "/videos", "job_polls": 50})
    async with started(environment) as server:
        run_id = await begun(server)
        job = await job_of(server, run_id)
        content = f"/videos/{job}/content"
        urls = [f"{upstream.base_url}{content}?index={n}" for n in (0, 1)]
        whole = {"id": job, "status": "completed", "unsigned_urls": urls, "usage": {"cost": COST}}
        clip = {"path": content, "body": "\0\0\0\x18ftypmp42 a clip", "content_type": "video/mp4"}
        film = {"path": f"/videos/{job}", "body": whole}
        upstream.script(film, {**clip, "times": 1}, {**clip, "chunk_size": 4, "chunk_latency_ms": 60_000})
        with anyio.fail_after(60):
            # The second is asked for once the first is on the disk.
            while len([each for each in upstream.requests if each.path == content]) < 2:
                await anyio.sleep(0.02)
        await server.kill()
    upstream.script(film, clip)
    async with started(environment) as server:
        told = await arrived(server, run_id)
    assert (told["status"], told["cost_usd"]) == ("completed", COST)
    assert [file["name"] for file in told["files"]] == ["video-1.mp4", "video-2.mp4"]
    assert len([each for each in upstream.requests if each.path == content]) == 3
    assert len(upstream.posts("/videos")) == 1


async def test_a_process_that_ends_in_good_order_leaves_it_to_the_next(upstream: Upstream, environment: dict[str, str]):
    upstream.script({"path": "/videos", "job_polls": 6})
    async with started(environment | {"OR_MCP_DRAIN_SECONDS": "0"}) as server:
        run_id = await begun(server)
        await job_of(server, run_id)
        await server.terminate()
    upstream.script()
    async with started(environment) as server:
        await check_whole(upstream, await arrived(server, run_id))


async def test_the_same_video_asked_for_after_the_kill_is_joined_not_sent_again(
    upstream: Upstream, environment: dict[str, str]
):
    upstream.script({"path": "/videos", "job_polls": 4})
    async with started(environment) as server:
        run_id = await begun(server)
        await job_of(server, run_id)
        await server.kill()
    async with started(environment) as server:
        again = (await server.client.call_tool("make", FILM | {"wait_seconds": 0})).structured_content
        assert (again["run_id"], again["replayed"]) == (run_id, True)
        await check_whole(upstream, await arrived(server, run_id))


async def test_killed_before_upstream_answered_it_is_interrupted_and_not_sent_again(
    upstream: Upstream, environment: dict[str, str]
):
    upstream.script({"path": "/videos", "latency_ms": 60_000})
    async with started(environment) as server:
        run_id = await begun(server)
        await asked(upstream, "/videos")
        await server.kill()
    upstream.script()
    async with started(environment) as server:
        told = await arrived(server, run_id)
    assert told["status"] == "interrupted"
    assert "may be billed" in told["error"]
    assert len(upstream.posts("/videos")) == 1


async def test_of_two_processes_one_asks_how_it_stands(upstream: Upstream, environment: dict[str, str]):
    upstream.script({"path": "/videos", "job_polls": 5})
    async with started(environment) as killed:
        run_id = await begun(killed)
        job = await job_of(killed, run_id)
        await killed.kill()
    async with started(environment) as one, started(environment) as other:
        told: list[dict[str, Any]] = []

        async def wait(server: Killable) -> None:
            told.append(await arrived(server, run_id))

        async with anyio.create_task_group() as group:
            group.start_soon(wait, one)
            group.start_soon(wait, other)
    assert [each["status"] for each in told] == ["completed"] * 2
    fetched = [each for each in upstream.requests if each.path == f"/videos/{job}/content"]
    assert len(fetched) == 1
    await check_whole(upstream, told[0])


async def test_who_was_seen_to_be_gone_may_have_been_followed_by_somebody_meanwhile(
    upstream: Upstream, environment: dict[str, str], connect: Connect, monkeypatch: pytest.MonkeyPatch
):
    upstream.script({"path": "/videos", "job_polls": 50})
    async with started(environment) as killed:
        run_id = await begun(killed)
        job = await job_of(killed, run_id)
        await killed.kill()
    strays, taken_over = Store.strays, Jobs.taken_over
    judging, judged, tried = anyio.Event(), anyio.Event(), anyio.Event()

    async def slowly(store: Store) -> dict[str, str]:
        left = await strays(store)
        judging.set()
        await judged.wait()
        return left

    async def noting(jobs: Jobs, *left: Any) -> LiveRun | None:
        taken = await taken_over(jobs, *left)
        tried.set()
        return taken

    monkeypatch.setattr(Store, "strays", slowly)
    monkeypatch.setattr(Jobs, "taken_over", noting)
    with anyio.fail_after(120):
        async with connect():
            await judging.wait()
            seen = len(upstream.requests)
            async with started(environment) as other:
                await asked(upstream, f"/videos/{job}", seen)
                judged.set()
                await tried.wait()
                done(upstream, job)
                await check_whole(upstream, await arrived(other, run_id))
    assert len([each for each in upstream.requests if each.path == f"/videos/{job}/content"]) == 1


async def test_the_deadline_of_runs_does_not_end_it(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/videos", "job_polls": 4})
    async with connect(OR_MCP_RUN_DEADLINE_SECONDS="1") as client:
        told = (await client.call_tool("make", FILM | {"wait_seconds": 60})).structured_content
        with anyio.fail_after(60):
            while told["status"] == "running":
                told = (await client.call_tool("run", {"run_id": told["run_id"], "wait_seconds": 5})).structured_content
    await check_whole(upstream, told)


@pytest.mark.parametrize(
    ("rule", "words", "spent_words"),
    [
        ({"job_failure": "The film tore"}, "The video could not be made", "Spent: nothing"),
        ({"job_expires": True}, "The video expired upstream", "Spent: unknown"),
    ],
)
async def test_that_it_failed_or_expired_is_told(
    connect: Connect, upstream: Upstream, rule: dict[str, Any], words: str, spent_words: str
):
    upstream.script({"path": "/videos", "job_polls": 1, **rule})
    async with connect() as client:
        failed = await client.call_tool("make", FILM)
    assert failed.is_error
    assert words in text_of(failed)
    assert spent_words in text_of(failed)
    assert len(upstream.posts("/videos")) == 1


async def test_polls_that_fail_for_a_while_are_waited_out(connect: Connect, upstream: Upstream):
    async with connect() as client:
        upstream.script({"path": "/videos", "job_polls": 3})
        begun = (await client.call_tool("make", FILM | {"wait_seconds": 0})).structured_content
        with anyio.fail_after(60):
            while not upstream.posts("/videos"):
                await anyio.sleep(0.02)
        job = next(iter(upstream._state.jobs))  # pyright: ignore[reportPrivateUsage]
        upstream.script({"path": f"/videos/{job}", "status": 503, "times": 2})
        told = await arrived_of(client, begun["run_id"])
    await check_whole(upstream, told)


async def arrived_of(client: Any, run_id: str) -> dict[str, Any]:
    with anyio.fail_after(90):
        while True:
            told = (await client.call_tool("run", {"run_id": run_id, "wait_seconds": 5})).structured_content
            if told["status"] != "running":
                return told


@needs_postgres
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_on_machines_that_share_a_database_another_one_brings_it(
    upstream: Upstream, environment: dict[str, str], postgres: Any
):
    shared = environment | {"OR_MCP_DATABASE_URL": postgres.fresh()}
    upstream.script({"path": "/videos", "job_polls": 3})
    async with started(shared) as server:
        run_id = await begun(server)
        await job_of(server, run_id)
        await server.kill()
    async with started(shared) as server:
        await check_whole(upstream, await arrived(server, run_id))
