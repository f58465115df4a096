"""A run costs at most what it was admitted with, however often its model wants one more step."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from or_mcp.simulator import Simulator
from tests.conftest import Connect, Upstream, text_of
from tests.money.test_bounded import runs_of
from tests.money.world import catalogue
from tests.servers.world import World, asked, calls, sent

TOOLS = {"small": {"does": "echo"}, "large": {"does": "big", "chars": 60_000}}
SMALL: tuple[str, Any] = ("files__small", {"text": "a" * 900})
LARGE: tuple[str, Any] = ("files__large", {})


def one_more(*called: tuple[str, Any], **more: Any) -> dict[str, Any]:
    """A model that always wants one more step."""
    return calls(*called, greedy=True, **more) | {"times": None}


def task(rng: Random, number: int) -> dict[str, Any]:
    """A question with whatever limits."""
    named = {
        "model": rng.choice([*(f"acme/model-{n}" for n in range(12)), "openrouter/auto"]),
        "max_steps": rng.randint(1, 6),
        "max_cost_usd": round(10 ** rng.uniform(-2.5, 0.5), 4),
        "max_output_tokens": rng.choice([None, 700, 3_000]),
        "servers": ["files"],
        "prompt": f"Task {number}. " + "Words. " * rng.randrange(300),
    }
    return {name: value for name, value in named.items() if value is not None}


@pytest.mark.timeout(600)
async def test_a_hundred_random_loops_never_cost_more_than_was_set_aside(
    connect: Connect, world: World, tmp_path: Path
):
    rng = Random(19)
    simulator, file = Simulator(models=catalogue(rng), credit="1000000"), world.serve("files", TOOLS, allow=["*"])
    settings = {"OR_MCP_SERVERS": file, "OR_MCP_DAILY_BUDGET_USD": "40"}
    async with simulator.running() as base_url, connect(OPENROUTER_BASE_URL=base_url, **settings) as client:
        for number in range(100):
            called = rng.sample([SMALL, LARGE], rng.randint(1, 2))
            simulator.script(one_more(*called, dearest=rng.random() < 0.5))
            result = await client.call_tool("ask", task(rng, number))
            if result.is_error:
                assert text_of(result).startswith(("over_budget", "model_unavailable")), text_of(result)
    runs = runs_of(tmp_path)
    assert not [(run_id, most, cost) for run_id, most, cost in runs if most is None or cost is None or cost > most]
    assert sum(cost for *_, cost in runs if cost) <= 40
    # Otherwise it would say nothing: most loops went on for several steps.
    assert len(simulator.posts("/chat/completions")) > 1.5 * len(runs) > 100


async def test_the_run_ends_when_the_next_step_does_not_fit(connect: Connect, upstream: Upstream, world: World):
    upstream.script(one_more(LARGE, LARGE))
    async with connect(OR_MCP_SERVERS=world.serve("files", TOOLS, allow=["*"])) as client:
        answer = await asked(client, max_steps=50, max_cost_usd=0.2)
        told = (await client.call_tool("account", {})).structured_content
    assert 1 < len(sent(upstream)) < 50
    assert any("no longer fits into $0.2000 (max_cost_usd)" in note for note in answer["notes"])
    assert answer["cost_usd"] <= 0.2 == answer["cost_estimate_usd"]["most"]
    assert told["today"]["total_usd"] == pytest.approx(answer["cost_usd"], abs=1e-6)


async def test_a_step_that_may_have_been_billed_is_counted_in_full(connect: Connect, upstream: Upstream, world: World):
    upstream.script(calls(SMALL), {"path": "/chat/completions", "reset_at_event": 2})
    async with connect(OR_MCP_SERVERS=world.serve("files", TOOLS, allow=["*"])) as client:
        failed = text_of(
            await client.call_tool("ask", {"model": "openai/gpt-5-mini", "servers": ["files"], "prompt": "?"})
        )
        (row,) = (await client.call_tool("run", {})).structured_content["runs"]
        more = (await client.call_tool("run", {"run_id": row["run_id"], "part": "events"})).structured_content["text"]
    assert failed.startswith("stream_broken")
    assert "Spent: unknown" in failed
    assert "step 1 answered, $" in more
    assert "step 2 failed, at most $" in more
    assert len(world.calls("files")) == 1
