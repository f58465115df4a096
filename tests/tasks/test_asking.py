"""An expensive call asks inside its task, and nothing is spent before the answer."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import pytest
from mcp import MCPError
from mcp_types import INVALID_PARAMS

from or_mcp.tasks import extension
from tests.conftest import Connect, Upstream
from tests.tasks.host import Host, Reply, connect_host, refusal, words

DEAR: dict[str, Any] = {
    "prompt": "Monolith or microservices?",
    "analysis_models": ["openai/gpt-5.6-sol"],
    "web": False,
}
CEILING = "1.5"
YES = {"action": "accept", "content": {"go": True}}
REFUSALS = [{"action": "decline"}, {"action": "cancel"}, {"action": "accept", "content": {"go": False}}]


def asking(connect: Connect) -> AbstractAsyncContextManager[Host]:
    return connect_host(connect, asks=True, OR_MCP_MAX_COST_PER_CALL_USD=CEILING)


async def asked(host: Host) -> tuple[str, str, Reply]:
    """A task that waits for an answer: its id, the key of its question, the question."""
    created = await host.call("fuse", DEAR)
    assert (created["resultType"], created["status"]) == ("task", "input_required")
    assert "inputRequests" not in created
    task = await host.get(created["taskId"])
    ((key, question),) = task["inputRequests"].items()
    return created["taskId"], key, question


async def is_gone(host: Host, task_id: str) -> bool:
    try:
        await host.get(task_id)
    except MCPError as error:
        return error.error.message == "Task not found"
    return False


async def test_a_user_who_agrees_in_the_task_gets_the_answer(connect: Connect, upstream: Upstream):
    async with asking(connect) as host:
        task_id, key, question = await asked(host)
        assert question["method"] == "elicitation/create"
        assert question["params"]["message"].startswith("fuse with openai/gpt-5.6-sol may cost $")
        assert question["params"]["requestedSchema"]["required"] == ["go"]
        assert not upstream.posts()
        assert (await host.answer(task_id, **{key: YES})).keys() == {"resultType", "_meta"}
        task = await host.until(task_id)
        await host.answer(task_id, **{key: {"action": "decline"}})
        assert (await host.get(task_id))["result"] == task["result"]
    assert task["result"]["structuredContent"]["run_id"] == task_id
    assert task["result"]["structuredContent"]["outcome"] == "fused"
    assert len(upstream.posts()) == 1


@pytest.mark.parametrize("refused", REFUSALS)
async def test_a_user_who_does_not_agree_in_the_task_pays_nothing(connect: Connect, upstream: Upstream, refused: Reply):
    async with asking(connect) as host:
        task_id, key, _ = await asked(host)
        await host.answer(task_id, **{key: refused})
        task = await host.until(task_id)
        await asked(host)
        assert (await host.get(task_id))["result"] == task["result"]
    assert task["status"] == "completed"
    assert task["result"]["isError"] is True
    assert words(task["result"]).startswith("cancelled: The user was asked")
    assert "Spent: nothing" in words(task["result"])
    assert not upstream.posts()


async def test_a_question_nobody_answers_ends_the_task_and_nothing_is_spent(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(extension, "QUESTION_SECONDS", 0.5)
    async with asking(connect) as host:
        task_id, key, _ = await asked(host)
        assert (await host.get(task_id))["ttlMs"] == 500
        task = await host.until(task_id)
        await host.answer(task_id, **{key: YES})
        later = await host.get(task_id)
    assert task["status"] == later["status"] == "cancelled"
    assert "nothing was spent" in task["statusMessage"]
    assert not upstream.posts()


async def test_a_task_that_waits_for_an_answer_can_be_cancelled(connect: Connect, upstream: Upstream):
    async with asking(connect) as host:
        task_id, key, _ = await asked(host)
        await host.cancel(task_id)
        task = await host.get(task_id)
        assert task["status"] == "cancelled"
        assert "inputRequests" not in task
        await host.answer(task_id, **{key: YES})
        assert (await host.get(task_id))["status"] == "cancelled"
    assert not upstream.posts()


async def test_an_answer_to_nothing_is_ignored_and_one_that_cannot_be_read_is_refused(
    connect: Connect, upstream: Upstream
):
    async with asking(connect) as host:
        task_id, key, _ = await asked(host)
        await host.answer(task_id, other=YES)
        unread = await refusal(host.answer(task_id, **{key: {"action": "perhaps"}}))
        assert (await host.get(task_id))["inputRequests"].keys() == {key}
        await host.cancel(task_id)
    assert unread[0] == INVALID_PARAMS
    assert not upstream.posts()


async def test_a_host_that_cannot_ask_is_not_asked(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 1})
    async with connect_host(connect, OR_MCP_MAX_COST_PER_CALL_USD=CEILING) as host:
        created = await host.call("fuse", DEAR)
        assert created["status"] == "working"
        assert (await host.until(created["taskId"]))["result"]["structuredContent"]["outcome"] == "fused"


async def test_two_tasks_that_asked_the_same_are_one_paid_run(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 1})
    async with asking(connect) as host:
        one, one_key, _ = await asked(host)
        two, two_key, _ = await asked(host)
        await host.answer(one, **{one_key: YES})
        await host.answer(two, **{two_key: YES})
        tasks = [await host.until(one), await host.until(two)]
    assert [task["taskId"] for task in tasks] == [one, two]
    assert len({task["result"]["structuredContent"]["run_id"] for task in tasks}) == 1
    assert len(upstream.posts()) == 1


async def test_a_task_that_never_became_a_run_is_forgotten_after_its_time(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(extension, "QUESTION_SECONDS", 0.3)
    async with asking(connect) as host:
        task_id, key, _ = await asked(host)
        await host.answer(task_id, **{key: {"action": "decline"}})
        assert (await host.until(task_id))["ttlMs"] == 300
        with anyio.fail_after(120):
            while not await is_gone(host, task_id):
                await host.call("fuse", DEAR)


async def test_a_host_that_leaves_without_answering_has_spent_nothing(connect: Connect, upstream: Upstream):
    async with asking(connect) as host:
        await asked(host)
    assert not upstream.posts()
