"""Whenever a process dies amid its steps, all is told, and nothing is paid or executed twice unasked."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.conftest import Upstream, text_of
from tests.runs.program import Killable, started
from tests.servers.world import CHAT, MINI, World, answers, calls, outputs, sent

STEPS = 4
QUESTION = {"model": MINI, "servers": ["files"], "prompt": "Do it."}


def script(upstream: Upstream) -> None:
    steps = [calls(("files__slow", {"text": f"{n}"}), latency_ms=30) for n in range(STEPS)]
    upstream.script(*steps, answers("It is done."))


async def ask(server: Killable, **more: Any) -> Any:
    return await server.client.call_tool("ask", {**QUESTION, **more})


async def until(seen: Any) -> None:
    with anyio.fail_after(60):
        while not seen():
            await anyio.sleep(0.002)


@pytest.mark.parametrize("at", ["sent 1", "sent 2", "called 1", "called 2", "sent 3", "called 3", "sent 5"])
async def test_killed_between_any_two_steps_all_is_told_and_nothing_repeated(
    upstream: Upstream, environment: dict[str, str], world: World, at: str
):
    what, count = at.split()
    file = world.serve("files", {"slow": {"does": "echo", "seconds": 0.05}}, allow=["*"])
    environment |= {"OR_MCP_SERVERS": file, "OR_MCP_DAILY_BUDGET_USD": "10"}
    script(upstream)
    async with started(environment) as server:
        begun = (await ask(server, wait_seconds=0)).structured_content
        seen = {"sent": lambda: len(sent(upstream)), "called": lambda: len(world.calls("files"))}[what]
        await until(lambda: seen() >= int(count))
        await server.kill()
    paid, executed = len(sent(upstream)), world.calls("files")
    async with started(environment) as server:
        run_id = begun["run_id"]
        trace = (await server.client.call_tool("run", {"run_id": run_id, "part": "events"})).structured_content["text"]
        # Everything that was paid for or executed stands in it, if only as what may have been.
        assert [f"step {n} " in trace for n in range(1, paid + 1)] == [True] * paid
        for name, given in executed:
            assert f"call files__{name} " in trace
            assert f'{{"text":"{given["text"]}"}}' in trace
        again = text_of(await ask(server))
        assert again.startswith(f"invalid_request: {run_id} asked the same and was cut off in step {paid}, after")
        assert (len(sent(upstream)), world.calls("files")) == (paid, executed)
        upstream.script(answers("It is done."))
        gone_on = (await ask(server, continue_run=run_id, prompt="Go on.")).structured_content
        assert gone_on["text"] == "It is done."
        assert world.calls("files") == executed
        read = outputs(sent(upstream)[-1])
        told = [each for each in read if "heard" in each or "Not known whether" in each]
        assert len(told) == len(executed)


async def test_what_a_killed_run_has_cost_or_may_have_cost_is_counted(
    upstream: Upstream, environment: dict[str, str], world: World
):
    # Long enough for the run to be saved meanwhile, when all that was sent is paid.
    file = world.serve("files", {"slow": {"does": "echo", "seconds": 1.5}}, allow=["*"])
    environment |= {"OR_MCP_SERVERS": file, "OR_MCP_DAILY_BUDGET_USD": "10"}
    upstream.script(calls(("files__slow", {})), {"path": CHAT, "latency_ms": 60_000})
    async with started(environment) as server:
        begun = (await ask(server, wait_seconds=0)).structured_content
        await until(lambda: len(sent(upstream)) == 2)
        await server.kill()
    async with started(environment) as server:
        shown = (await server.client.call_tool("run", {"run_id": begun["run_id"]})).structured_content
        left = (await server.client.call_tool("account", {})).structured_content["budget_left_usd"]
    assert (shown["status"], shown["cost_usd"]) == ("interrupted", None)
    assert 0 < 10 - left < begun["cost_estimate_usd"]["most"]
