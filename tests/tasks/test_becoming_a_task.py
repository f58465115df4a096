"""A long call of a host with tasks is answered with a task; nobody else notices."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from mcp.client.extension import advertise
from mcp_types import METHOD_NOT_FOUND, MISSING_REQUIRED_CLIENT_CAPABILITY

from or_mcp.tasks import extension
from or_mcp.tasks.wire import EXTENSION
from tests.beats import beating
from tests.conftest import Connect, Upstream
from tests.tasks.host import Host, Reply, connect_host, refusal, words

FUSE: dict[str, Any] = {"prompt": "Monolith or microservices?", "web": False}
ASK: dict[str, Any] = {"prompt": "Hello?", "model": "openai/gpt-5-mini"}
SLOW: dict[str, Any] = {"path": "/responses", "duration_s": 1.5}


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, a fast call is fast."""
    monkeypatch.setattr(extension, "GRACE_SECONDS", 20.0)


@pytest.mark.usefixtures("patient")
async def test_a_fast_call_is_answered_at_once_and_counts_as_received(connect: Connect, upstream: Upstream):
    async with connect_host(connect) as host:
        first = await host.call("ask", ASK)
        second = await host.call("ask", ASK)
    assert first["resultType"] == second["resultType"] == "complete"
    assert first["structuredContent"]["status"] == "completed"
    assert first["structuredContent"]["run_id"] != second["structuredContent"]["run_id"]
    assert len(upstream.posts()) == 2


async def test_a_long_call_becomes_a_task_that_is_its_run_and_ends_in_the_tools_own_result(
    connect: Connect, upstream: Upstream
):
    upstream.script(SLOW)
    async with connect_host(connect) as host:
        await host.call("list_models", {})
        async with beating() as beats:
            created = await host.call("fuse", FUSE)
        task = await host.until(created["taskId"])
        again = await host.get(created["taskId"])
        run = await host.client.call_tool("run", {"run_id": created["taskId"]})
    assert (created["resultType"], created["status"]) == ("task", "working")
    assert beats.seconds < 1
    assert created["ttlMs"] == 30 * 24 * 3600 * 1000
    assert created["pollIntervalMs"] == 1000
    assert created["lastUpdatedAt"] >= created["createdAt"]
    assert (task["resultType"], task["status"]) == ("complete", "completed")
    assert task["createdAt"] == created["createdAt"]
    told = task["result"]["structuredContent"]
    assert (told["run_id"], told["outcome"], told["replayed"]) == (created["taskId"], "fused", False)
    assert "tool" not in told
    assert words(task["result"]).splitlines()[-1].startswith("Cost: $")
    assert again["result"] == task["result"]
    assert run.structured_content["answer"] == told["answer"]
    assert len(upstream.posts()) == 1


async def test_while_it_works_it_says_how_far_it_has_come_in_few_words(connect: Connect, upstream: Upstream):
    upstream.script(SLOW)
    said: set[str] = set()
    async with connect_host(connect) as host:
        task = await host.call("fuse", FUSE)
        while task["status"] == "working":
            said.add(task.get("statusMessage", ""))
            await anyio.sleep(0.02)
            task = await host.get(task["taskId"])
    assert any("/3 answered" in message for message in said)
    assert len(said) >= 3
    assert max(map(len, said)) <= 200


async def test_how_long_to_wait_is_not_asked_of_a_task(connect: Connect, upstream: Upstream):
    upstream.script(SLOW)
    async with connect_host(connect) as host:
        created = await host.call("fuse", FUSE | {"wait_seconds": 0})
        task = await host.until(created["taskId"])
    assert task["result"]["structuredContent"]["status"] == "completed"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_host_without_the_extension_gets_its_answer_as_ever(connect: Connect, upstream: Upstream, mode: str):
    upstream.script(SLOW)
    async with connect(mode) as client:
        result = await client.call_tool("fuse", FUSE)
        refused = await refusal(Host(client).get(result.structured_content["run_id"]))
    assert result.structured_content["outcome"] == "fused"
    assert refused[0] == (MISSING_REQUIRED_CLIENT_CAPABILITY if mode == "auto" else METHOD_NOT_FOUND)


async def test_an_older_host_that_declares_the_extension_has_no_tasks_either(connect: Connect, upstream: Upstream):
    upstream.script(SLOW)
    async with connect("legacy", {"extensions": [advertise(EXTENSION)]}) as client:
        result = await client.call_tool("fuse", FUSE)
    assert result.structured_content["outcome"] == "fused"


async def test_the_extension_is_advertised_and_the_tools_are_the_same_with_it(connect: Connect):
    async with connect() as plain, connect_host(connect) as host:
        assert (await plain.list_tools()).tools == (await host.client.list_tools()).tools
        capabilities = host.client.server_capabilities
    assert capabilities is not None
    assert capabilities.extensions is not None
    assert capabilities.extensions[EXTENSION] == {}


async def test_a_tool_that_is_not_long_is_never_a_task(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/rerank", "latency_ms": 600})
    arguments = {"model": "cohere/rerank-v3.5", "query": "a", "documents": ["a", "b"]}
    async with connect_host(connect) as host:
        assert (await host.call("rerank", arguments))["resultType"] == "complete"


async def test_twenty_identical_calls_are_one_task_and_one_paid_run(connect: Connect, upstream: Upstream):
    upstream.script(SLOW)
    created: list[Reply] = []
    done: list[Reply] = []

    async def fuse(host: Host) -> None:
        created.append(await host.call("fuse", FUSE))
        done.append(await host.until(created[-1]["taskId"]))

    async with connect_host(connect) as one, connect_host(connect) as two, anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(fuse, (one, two)[number % 2])
    assert len(upstream.posts()) == 1
    assert {task["resultType"] for task in created} == {"task"}
    assert len({task["taskId"] for task in created}) == 1
    assert {task["result"]["structuredContent"]["run_id"] for task in done} == {created[0]["taskId"]}


async def test_a_call_that_joins_a_run_is_the_task_of_that_run_however_late_that_is_known(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(extension, "GRACE_SECONDS", 0.0)
    upstream.script(SLOW)
    async with connect_host(connect) as host:
        first = await host.call("fuse", FUSE)
        second = await host.call("fuse", FUSE)
        task = await host.until(first["taskId"])
    assert first["taskId"] == second["taskId"]
    assert task["result"]["structuredContent"]["replayed"] is False
    assert len(upstream.posts()) == 1


async def test_a_failed_run_is_a_completed_task_with_the_tools_words(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "latency_ms": 600, "status": 402})
    async with connect_host(connect) as host:
        created = await host.call("fuse", FUSE)
        task = await host.until(created["taskId"])
    async with connect_host(connect) as later:
        kept = await later.get(created["taskId"])
    for each in (task, kept):
        assert each["status"] == "completed"
        assert each["result"]["isError"] is True
        assert words(each["result"]).startswith("no_credit:")


@pytest.mark.usefixtures("patient")
async def test_a_call_that_is_refused_is_answered_with_the_refusal(connect: Connect, upstream: Upstream):
    async with connect_host(connect) as host:
        refused = await host.call("fuse", {"promt": "?"})
        dear = await host.call("fuse", FUSE | {"max_cost_usd": 0.0001})
    assert words(refused).startswith("invalid_request:")
    assert words(dear).startswith("over_budget:")
    assert not upstream.posts()


async def test_only_a_result_that_was_fetched_counts_as_received(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    upstream.script(SLOW)
    async with connect_host(connect) as host:
        created = await host.call("fuse", FUSE)
        with anyio.fail_after(120):
            while "outcome" not in (await host.client.call_tool("run", {})).structured_content["runs"][0]:
                await anyio.sleep(0.02)
        with monkeypatch.context() as patched:
            # However slow this machine is, what is there already is answered at once.
            patched.setattr(extension, "GRACE_SECONDS", 20.0)
            joined = await host.call("fuse", FUSE)
        task_id = joined.get("taskId") or joined["structuredContent"]["run_id"]
        assert task_id == created["taskId"]
        assert len(upstream.posts()) == 1
        new = await host.call("fuse", FUSE)
        await host.until(new["taskId"])
        newest = await host.call("fuse", FUSE)
    assert len({created["taskId"], new["taskId"], newest["taskId"]}) == 3
    assert len(upstream.posts()) == 3


@pytest.mark.usefixtures("patient")
async def test_a_call_taken_back_before_it_was_answered_is_stopped(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "stall_at_event": 8})
    async with connect_host(connect) as host, anyio.create_task_group() as group:
        group.start_soon(host.call, "fuse", FUSE)
        with anyio.fail_after(120):
            while not upstream.open_streams:
                await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    async with connect_host(connect) as host:
        (row,) = (await host.client.call_tool("run", {})).structured_content["runs"]
    assert row["status"] == "cancelled"
    assert upstream.open_streams == 0
