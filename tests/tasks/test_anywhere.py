"""A task is its run: any process of the same store shows it, stops it and hands it over; nobody else's caller does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp_types import HEADER_MISMATCH, INVALID_PARAMS

from tests.beats import beating
from tests.conftest import Connect, Upstream
from tests.runs.program import started
from tests.serving import programs
from tests.tasks.host import AnyRequest, connect_host, over_http, refusal, words

FUSE: dict[str, Any] = {"prompt": "Monolith or microservices?", "web": False}
NOT_FOUND = (INVALID_PARAMS, "Task not found")


async def streaming(upstream: Upstream) -> None:
    with anyio.fail_after(120):
        while not upstream.open_streams:
            await anyio.sleep(0.01)


async def test_another_process_follows_a_task_and_fetches_its_result(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 1.5})
    async with connect_host(connect) as one, connect_host(connect) as two:
        created = await one.call("fuse", FUSE | {"detail": "full"})
        with anyio.fail_after(120):
            while "answered" not in (seen := await two.get(created["taskId"])).get("statusMessage", ""):
                await anyio.sleep(0.02)
        assert seen["status"] == "working"
        there = await two.until(created["taskId"])
        here = await one.until(created["taskId"])
    assert there["status"] == here["status"] == "completed"
    assert there["ttlMs"] == created["ttlMs"]
    told, known = there["result"]["structuredContent"], here["result"]["structuredContent"]
    assert told["responses"] == known["responses"]
    assert told["answer"] == known["answer"]
    assert words(there["result"]).splitlines()[-1] == words(here["result"]).splitlines()[-1]
    assert words(there["result"]).splitlines()[-1].startswith("Cost: $")


async def test_a_task_outlives_its_server(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 1})
    async with connect_host(connect) as host:
        created = await host.call("fuse", FUSE)
    async with connect_host(connect) as later:
        task = await later.until(created["taskId"])
        new = await later.call("fuse", FUSE)
    assert task["status"] == "completed"
    assert task["result"]["structuredContent"]["outcome"] == "fused"
    assert (new.get("taskId") or new["structuredContent"]["run_id"]) != created["taskId"]


async def test_a_task_whose_process_was_killed_has_failed_and_says_where_the_rest_is(
    connect: Connect, upstream: Upstream, environment: dict[str, str]
):
    upstream.script({"path": "/responses", "stall_at_event": 20})
    async with started(environment) as server:
        begun = await server.client.call_tool("fuse", FUSE | {"wait_seconds": 0})
        await streaming(upstream)
        await server.kill()
    run_id = begun.structured_content["run_id"]
    async with connect_host(connect) as host:
        task = await host.get(run_id)
        assert await host.cancel(run_id)
        again = await host.get(run_id)
    assert task["status"] == again["status"] == "failed"
    assert "result" not in task
    assert isinstance(task["error"]["code"], int)
    assert f"call run with run_id {run_id!r}" in task["error"]["message"]


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_cancelling_a_task_closes_the_upstream_connection_within_a_second(
    connect: Connect, upstream: Upstream, elsewhere: bool
):
    upstream.script({"path": "/responses", "stall_at_event": 8})
    async with connect_host(connect) as one, connect_host(connect) as two:
        created = await one.call("fuse", FUSE)
        await streaming(upstream)
        async with beating() as beats:
            acknowledged = await (two if elsewhere else one).cancel(created["taskId"])
            while upstream.open_streams:
                await anyio.sleep(0.01)
        assert beats.seconds < 1
        assert "taskId" not in acknowledged
        tasks = [await host.until(created["taskId"]) for host in (one, two)]
        assert await one.cancel(created["taskId"])
        assert (await one.get(created["taskId"]))["status"] == "cancelled"
    assert [task["status"] for task in tasks] == ["cancelled", "cancelled"]
    assert all("result" not in task for task in tasks)
    assert "may be billed" in tasks[0]["statusMessage"]


async def test_another_callers_task_and_one_that_never_was_are_not_found(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "stall_at_event": 8})
    async with connect_host(connect) as one, connect_host(connect, OPENROUTER_API_KEY="sk-or-other") as two:
        task_id = (await one.call("fuse", FUSE))["taskId"]
        for unknown in (task_id, "run_none", ""):
            assert await refusal(two.get(unknown)) == NOT_FOUND
            assert await refusal(two.answer(unknown)) == NOT_FOUND
            assert await refusal(two.cancel(unknown)) == NOT_FOUND
        assert (await one.get(task_id))["status"] == "working"
        await one.cancel(task_id)


async def test_over_http_a_task_belongs_to_its_callers_key_and_is_named_in_the_header(
    upstream: Upstream, tmp_path: Path
):
    upstream.script({"path": "/responses", "duration_s": 1.5})
    env = programs.environment(upstream.base_url, tmp_path, OR_MCP_HTTP_AUTH="passthrough")
    with programs.serving_http(env) as root:
        async with over_http(root, "sk-or-one") as one, over_http(root, "sk-or-two") as two:
            created = await one.call("fuse", FUSE)
            task_id = created["taskId"]
            assert await refusal(two.get(task_id)) == NOT_FOUND
            mismatch = await refusal(one.send(AnyRequest(method="tasks/get", params={"taskId": task_id})))
        async with over_http(root, "sk-or-one") as later:
            task = await later.until(task_id)
    assert created["resultType"] == "task"
    assert mismatch[0] == HEADER_MISMATCH
    assert task["result"]["structuredContent"]["outcome"] == "fused"
