"""A user's word reaches the run, whichever process carries it: nothing but the store is shared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.extension import advertise
from mcp_types import ElicitResult

from or_mcp.tasks.wire import EXTENSION
from tests.conftest import Connect, Upstream
from tests.servers.test_permission import WRITE, User, writing
from tests.servers.world import MINI, World, answers, asked, calls, outputs, sent
from tests.serving import programs
from tests.serving.test_workers import workers
from tests.tasks.host import Host, connect_host

pytestmark = pytest.mark.usefixtures("database_url")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def never(context: Any, params: Any) -> ElicitResult:
    raise AssertionError(f"asked where nobody waits: {context} {params}")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("again", ["run", "ask"])
async def test_whoever_waits_in_another_process_is_asked(
    connect: Connect, upstream: Upstream, world: World, mode: str, again: str
):
    writing(upstream, "a", "b")
    user, file = User("once", ""), world.serve("files", WRITE)
    async with (
        connect(client={"elicitation_callback": never}, OR_MCP_SERVERS=file) as one,
        connect(mode, {"elicitation_callback": user.answer}, OR_MCP_SERVERS=file) as two,
    ):
        begun = await asked(one, wait_seconds=0)
        given = (
            {"run_id": begun["run_id"]} if again == "run" else {"model": MINI, "servers": ["files"], "prompt": "Do it."}
        )
        ended = (await two.call_tool(again, given | {"wait_seconds": 60})).structured_content
    assert (ended["run_id"], ended["status"], ended["text"]) == (begun["run_id"], "completed", "It is done.")
    assert world.calls("files") == [["write", {"text": "a"}]]
    assert [question.requested_schema["properties"]["go"]["enum"][0] for question in user.asked] == ["once"] * 2
    assert "did not agree" in outputs(sent(upstream)[2])[1]


async def test_a_task_asks_in_every_process_and_is_answered_in_any(connect: Connect, upstream: Upstream, world: World):
    writing(upstream, "a")
    file = world.serve("files", WRITE)
    async with (
        connect_host(connect, asks=True, OR_MCP_SERVERS=file) as one,
        connect_host(connect, asks=True, OR_MCP_SERVERS=file) as two,
    ):
        created = await one.call("ask", {"model": MINI, "servers": ["files"], "prompt": "Do it."})
        task = await two.until(created["taskId"], "input_required")
        ((key, question),) = task["inputRequests"].items()
        assert "wants to use 'write'" in question["params"]["message"]
        await two.answer(created["taskId"], **{f"{key}?": {"action": "accept", "content": {"go": "once"}}})
        assert not world.calls("files")
        await two.answer(created["taskId"], **{key: {"action": "accept", "content": {"go": "once"}}})
        ended = await two.until(created["taskId"])
    assert ended["result"]["structuredContent"]["text"] == "It is done."
    assert world.calls("files") == [["write", {"text": "a"}]]


async def test_an_answer_is_taken_once_whoever_gives_it(connect: Connect, upstream: Upstream, world: World):
    writing(upstream, "a")
    users, file = [User("once"), User("once")], world.serve("files", WRITE)
    async with (
        connect(client={"elicitation_callback": never}, OR_MCP_SERVERS=file) as one,
        connect(client={"elicitation_callback": users[0].answer}, OR_MCP_SERVERS=file) as two,
        connect(client={"elicitation_callback": users[1].answer}, OR_MCP_SERVERS=file) as three,
    ):
        begun = await asked(one, wait_seconds=0)

        async def wait(client: Any) -> None:
            await client.call_tool("run", {"run_id": begun["run_id"], "wait_seconds": 60})

        async with anyio.create_task_group() as group:
            group.start_soon(wait, two)
            group.start_soon(wait, three)
    assert world.calls("files") == [["write", {"text": "a"}]]
    assert 1 <= sum(len(user.asked) for user in users) <= 2


@pytest.mark.timeout(240)
async def test_the_workers_of_a_team_ask_and_are_answered_wherever_a_request_comes(
    upstream: Upstream, environment: dict[str, str], world: World
):
    settings = {"OR_MCP_SERVERS": world.serve("files", WRITE), "OR_MCP_SERVERS_FOR_CALLERS": "on"}
    question: dict[str, Any] = {"model": MINI, "servers": ["files"]}
    user = User("once")
    with workers(programs.environment("", Path()) | environment | settings) as ports:
        urls = [f"http://127.0.0.1:{port}/mcp" for port, _ in ports]
        options: dict[str, Any] = {"extensions": [advertise(EXTENSION)], "elicitation_callback": never}
        async with (
            Client(urls[0], elicitation_callback=never) as one,
            Client(urls[1], elicitation_callback=user.answer) as two,
            Client(urls[0], **options) as task_one,
            Client(urls[1], **options) as task_two,
        ):
            writing(upstream, "a")
            begun = await asked(one, wait_seconds=0)
            await two.call_tool("run", {"run_id": begun["run_id"], "wait_seconds": 60})
            # What takes longer than a moment is a task.
            upstream.script(calls(("files__write", {"text": "b"}), latency_ms=1_000), answers("It is done."))
            created = await Host(task_one).call("ask", question | {"prompt": "Once more."})
            here, there = Host(task_one), Host(task_two)
            task = await here.until(created["taskId"], "input_required")
            ((key, _),) = task["inputRequests"].items()
            assert (await there.until(created["taskId"], "input_required"))["inputRequests"].keys() == {key}
            await there.answer(created["taskId"], **{key: {"action": "accept", "content": {"go": "once"}}})
            ended = await here.until(created["taskId"])
    assert ended["result"]["structuredContent"]["text"] == "It is done."
    assert [given["text"] for _, given in world.calls("files")] == ["a", "b"]
