"""However a process ends, nothing that was paid for is lost."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

import anyio
import pytest
from mcp import MCPError

from tests.conftest import Upstream, text_of
from tests.runs.program import Killable, started

pytestmark = pytest.mark.usefixtures("database_url")

PANEL = ["openai/gpt-5-mini", "openai/gpt-5-nano"]
FUSE = {"prompt": "Monolith or microservices?", "analysis_models": PANEL, "web": False}
CUTS = range(2, 46)


async def begin(server: Killable, upstream: Upstream, **arguments: Any) -> str:
    """Start a fusion, and wait until upstream has sent all it will send."""
    begun = await server.client.call_tool("fuse", FUSE | arguments | {"wait_seconds": 0})
    run_id = begun.structured_content["run_id"]
    with anyio.fail_after(120):
        while not upstream.open_streams:
            await anyio.sleep(0.01)
    return run_id


async def part(server: Killable, run_id: str, name: str) -> str:
    return text_of(await server.client.call_tool("run", {"run_id": run_id, "part": name}))


async def steps(server: Killable, run_id: str) -> list[str]:
    return [line.split()[1] for line in (await part(server, run_id, "events")).splitlines() if line[:2].isdigit()]


@pytest.mark.slow
@pytest.mark.timeout(480)
async def test_killed_at_each_event_of_a_stream_it_shows_everything_that_had_arrived(
    upstream: Upstream, environment: dict[str, str], database_url: str | None
):
    lost: list[str] = []
    async with started(environment) as server:
        whole = await server.client.call_tool("fuse", FUSE | {"detail": "full"})
        texts = {row["model"]: row["content"] for row in whole.structured_content["responses"]}
    left: list[tuple[str, int, list[str]]] = []
    for cut in CUTS:
        upstream.script({"path": "/responses", "stall_at_event": cut})
        async with started(environment) as server:
            if database_url is None and left:
                lost += await what_is_lost(server, *left.pop(), texts)
            run_id = await begin(server, upstream, temperature=cut / 100)
            seen = await settled(server, run_id)
            left.append((run_id, cut, seen))
            await server.kill()
        with anyio.fail_after(60):
            while upstream.open_streams:
                await anyio.sleep(0.01)
    async with started(environment) as server:
        # Machines that share a database call none of theirs lost before it was not seen for 30 seconds.
        await none_running(server)
        for run_id, cut, seen in left:
            lost += await what_is_lost(server, run_id, cut, seen, texts)
    assert not lost, "\n".join(lost)
    assert len(upstream.posts("/responses")) == len(CUTS) + 1


EMBEDDED = {
    "model": "openai/text-embedding-3-small",
    "output": "similarity",
    "input": [f"text {n}" for n in range(150)],
}
PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
ASKED = {"model": "openai/gpt-5-mini", "prompt": "Who?", "json_schema": PERSON}
_CHOICE = {"index": 0, "delta": {"content": "It is Ada."}}
_COSTS = json.dumps({"id": "gen-1", "choices": [_CHOICE], "usage": {"cost": 0.0001}})
_ENDS = json.dumps({"id": "gen-1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
# What it cost is told so long before it ends that it is saved.
NO_JSON = {
    "body": f"data: {_COSTS}\n\ndata: {_ENDS}\n\ndata: [DONE]\n\n",
    "content_type": "text/event-stream",
    "chunk_size": len(_COSTS) + 8,
    "chunk_latency_ms": 2_000,
}


@pytest.mark.parametrize(
    ("tool", "arguments", "rules", "path", "count"),
    [
        # Both batches are refused three times, and then asked once more, one after the other.
        (
            "embed",
            EMBEDDED,
            [{"status": 503, "retry_after": 1, "times": 6}, {"skip": 1, "latency_ms": 60_000}],
            "/embeddings",
            8,
        ),
        ("ask", ASKED, [NO_JSON | {"times": 1}, {"latency_ms": 60_000}], "/chat/completions", 2),
    ],
    ids=["embed", "ask"],
)
async def test_what_some_of_several_requests_have_cost_never_passes_for_the_whole(
    upstream: Upstream,
    environment: dict[str, str],
    tool: str,
    arguments: dict[str, Any],
    rules: list[dict[str, Any]],
    path: str,
    count: int,
):
    upstream.script(*({"path": path, **rule} for rule in rules))
    environment |= {"OR_MCP_DAILY_BUDGET_USD": "1"}
    async with started(environment) as server, anyio.create_task_group() as group:

        async def wait_in_vain() -> None:
            with suppress(MCPError):
                await server.client.call_tool(tool, arguments)

        group.start_soon(wait_in_vain)
        with anyio.fail_after(60):
            while len(upstream.posts(path)) < count:
                await anyio.sleep(0.01)
        await server.kill()
        group.cancel_scope.cancel()
    async with started(environment) as server:
        await none_running(server)
        (row,) = await latest(server)
        told = (await server.client.call_tool("run", {"run_id": row["run_id"]})).structured_content
        left = (await server.client.call_tool("account", {})).structured_content["budget_left_usd"]
    assert (told["status"], told["cost_usd"]) == ("interrupted", None)
    assert 1 - left == pytest.approx(told["cost_estimate_usd"]["most"], abs=1e-6)


@pytest.mark.parametrize("database_url", [None])
async def test_the_question_of_a_run_whose_process_was_killed_is_asked_anew(
    upstream: Upstream, environment: dict[str, str]
):
    question = FUSE | {"wait_seconds": 0}
    upstream.script({"path": "/responses", "stall_at_event": 2, "times": 1})
    async with started(environment) as server:
        killed = await begin(server, upstream)
        await server.kill()
    async with started(environment) as server:
        again = (await server.client.call_tool("fuse", question | {"wait_seconds": 30})).structured_content
    assert again["run_id"] != killed
    assert (again["status"], again["replayed"]) == ("completed", False)


async def settled(server: Killable, run_id: str) -> list[str]:
    """The steps of a run once no more arrive: what the process has seen of a stream that stands still."""
    last: list[str] = []
    for _ in range(200):
        await anyio.sleep(0.05)
        seen = await steps(server, run_id)
        if seen and seen == last:
            return seen
        last = seen
    raise AssertionError("the stream never came to a standstill")


async def none_running(server: Killable) -> None:
    with anyio.fail_after(60):
        while any(row["status"] == "running" for row in await latest(server)):
            await anyio.sleep(0.2)


async def latest(server: Killable) -> list[dict[str, Any]]:
    return (await server.client.call_tool("run", {})).structured_content["runs"]


async def what_is_lost(server: Killable, run_id: str, cut: int, seen: list[str], texts: dict[str, str]) -> list[str]:
    told = (await server.client.call_tool("run", {"run_id": run_id})).structured_content
    lost: list[str] = []
    if told["status"] != "interrupted":
        lost.append(f"cut at {cut}: status {told['status']}")
    panel = json.loads(json.dumps(told["panel"]))
    answered = [row["model"] for row in panel if row["status"] == "answered"]
    if len(answered) != seen.count("panelist_answered"):
        lost.append(f"cut at {cut}: {answered} of {seen}")
    kept = await part(server, run_id, "panel")
    lost += [f"cut at {cut}: the text of {model}" for model in answered if texts[model][:200] not in kept]
    with anyio.move_on_after(8):
        while told["cost_usd"] is None:
            await anyio.sleep(0.1)
            told = (await server.client.call_tool("run", {"run_id": run_id})).structured_content
    if told["cost_usd"] is None:
        lost.append(f"cut at {cut}: the cost")
    return lost


async def test_a_run_in_flight_when_the_host_leaves_gets_time_to_finish(
    upstream: Upstream, environment: dict[str, str]
):
    upstream.script({"path": "/responses", "duration_s": 2})
    async with started(environment) as server:
        run_id = await begin(server, upstream)
        assert await server.close_stdin() == 0
    async with started(environment) as server:
        told = (await server.client.call_tool("run", {"run_id": run_id})).structured_content
    assert (told["status"], told["outcome"]) == ("completed", "fused")


async def test_a_call_that_was_being_waited_for_when_the_host_left_is_not_cancelled(
    upstream: Upstream, environment: dict[str, str]
):
    upstream.script({"path": "/responses", "duration_s": 2})
    async with started(environment) as server, anyio.create_task_group() as group:

        async def wait_in_vain() -> None:
            with suppress(MCPError):
                await server.client.call_tool("fuse", FUSE)

        group.start_soon(wait_in_vain)
        with anyio.fail_after(120):
            while not upstream.open_streams:
                await anyio.sleep(0.01)
        assert await server.close_stdin() == 0
    async with started(environment) as server:
        (row,) = (await server.client.call_tool("run", {})).structured_content["runs"]
    assert (row["status"], row["outcome"]) == ("completed", "fused")


@pytest.mark.slow
async def test_a_run_that_does_not_finish_in_time_is_interrupted_with_all_that_arrived(
    upstream: Upstream, environment: dict[str, str]
):
    upstream.script({"path": "/responses", "stall_at_event": 24})
    async with started(environment) as server:
        run_id = await begin(server, upstream)
        with anyio.fail_after(120):
            assert await server.terminate() == 0
    async with started(environment) as server:
        told = (await server.client.call_tool("run", {"run_id": run_id})).structured_content
        kept = await part(server, run_id, "panel")
    assert told["status"] == "interrupted"
    assert "[simulated]" in kept
    assert upstream.open_streams == 0


async def test_a_run_is_stopped_from_another_process(upstream: Upstream, environment: dict[str, str]):
    upstream.script({"path": "/responses", "stall_at_event": 8})
    async with started(environment) as server:
        run_id = await begin(server, upstream)
        command = ["-m", "or_mcp", "runs", run_id, "--cancel", "--json"]
        done = await anyio.run_process([sys.executable, *command], env=environment)
        assert json.loads(done.stdout)["status"] == "cancelled"
        assert upstream.open_streams == 0
        told = (await server.client.call_tool("run", {"run_id": run_id})).structured_content
    assert told["status"] == "cancelled"
