"""Nothing is spent unasked: estimates, ceilings, budgets."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.conftest import Connect, Upstream, text_of
from tests.runs.program import started

pytestmark = pytest.mark.usefixtures("database_url")

PANEL = ["openai/gpt-5-mini", "openai/gpt-5-nano"]


def question(number: int = 0) -> dict[str, Any]:
    return {
        "prompt": f"Question {number}?",
        "analysis_models": PANEL,
        "writer_model": "openai/gpt-5-mini",
        "web": False,
    }


async def test_a_call_estimated_above_the_operators_ceiling_is_refused_with_three_ways(
    connect: Connect, upstream: Upstream
):
    async with connect(OR_MCP_MAX_COST_PER_CALL_USD="0.001") as client:
        told = text_of(await client.call_tool("fuse", question()))
    assert told.startswith("over_budget: The call is estimated at $")
    assert "above the ceiling of $0.0010 (OR_MCP_MAX_COST_PER_CALL_USD)" in told
    assert "analysis_models, lower max_completion_tokens, or set web to false" in told
    assert "Spent: nothing" in told
    assert not upstream.posts()


async def test_the_callers_own_ceiling_counts_too(connect: Connect, upstream: Upstream):
    async with connect() as client:
        told = text_of(await client.call_tool("ask", {"prompt": "Hello?", "model": PANEL[0], "max_cost_usd": 1e-6}))
    assert told.startswith("over_budget:")
    assert "max_cost_usd" in told
    assert not upstream.posts()


async def test_a_ceiling_of_exactly_what_a_call_can_cost_lets_it_through(connect: Connect, upstream: Upstream):
    hello = {"prompt": "Hello?", "model": PANEL[0], "max_output_tokens": 1000}
    async with connect() as client:
        first = await client.call_tool("ask", hello)
        most = first.structured_content["cost_estimate_usd"]["most"]
        again = await client.call_tool("ask", hello | {"temperature": 1, "max_cost_usd": most})
        refused = text_of(await client.call_tool("ask", hello | {"temperature": 0, "max_cost_usd": most * 0.99999}))
    assert again.structured_content["cost_estimate_usd"]["most"] == most
    assert refused.startswith("over_budget:")
    cost, ceiling = re.findall(r"can cost (\$[\d.]+), above the ceiling of (\$[\d.]+) ", refused)[0]
    assert cost != ceiling, refused
    assert len(upstream.posts()) == 2


async def test_a_call_whose_cost_nobody_can_bound_says_so(connect: Connect):
    async with connect(OR_MCP_MAX_COST_PER_CALL_USD="0") as client:
        result = (await client.call_tool("ask", {"prompt": "Hello?", "model": "openrouter/auto"})).structured_content
    assert result["cost_estimate_usd"]["most"] is None
    assert "What it costs at most cannot be bounded." in result["notes"]


async def test_zero_means_no_ceiling(connect: Connect):
    async with connect(OR_MCP_MAX_COST_PER_CALL_USD="0") as client:
        result = await client.call_tool("ask", {"prompt": "Hello?", "model": "openai/gpt-5.4-pro"})
    assert not result.is_error


async def test_an_answer_is_limited_where_only_that_keeps_it_under_the_ceiling(connect: Connect, upstream: Upstream):
    async with connect() as client:
        await client.call_tool("ask", {"prompt": "Hello?", "model": "openai/gpt-5-mini"})
        await client.call_tool("ask", {"prompt": "Hello?", "model": "anthropic/claude-opus-5-fast"})
    cheap, dear = upstream.posts("/chat/completions")
    assert cheap.body["max_completion_tokens"] == 128_000
    assert 16_000 < dear.body["max_completion_tokens"] < 64_000


async def test_a_price_that_depends_is_unknown_never_nothing(connect: Connect):
    async with connect() as client:
        result = await client.call_tool("ask", {"prompt": "Hello?", "model": "openrouter/auto"})
    assert any("depends on the model it picks" in note for note in result.structured_content["notes"])


async def test_a_budget_for_seven_lets_seven_through_from_two_processes_whatever_the_interleaving(
    connect: Connect, upstream: Upstream, environment: dict[str, str]
):
    async with connect(OR_MCP_STORE="off") as client:
        probe = await client.call_tool("fuse", question(99))
    most = Decimal(str(probe.structured_content["cost_estimate_usd"]["most"]))
    upstream.reset()
    upstream.script({"path": "/responses", "latency_ms": 8000})
    limited = environment | {"OR_MCP_DAILY_BUDGET_USD": str(most * 7 + most / 10)}
    told: list[str] = []

    async def fuse(client: Any, number: int) -> None:
        told.append(text_of(await client.call_tool("fuse", question(number))))

    async with started(limited) as one, started(limited) as two, anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(fuse, (one, two)[number % 2].client, number)
    assert len(upstream.posts("/responses")) == 7
    assert sum(text.startswith("over_budget:") for text in told) == 13


async def test_what_was_reserved_is_released_to_the_real_cost(connect: Connect):
    async with connect(OR_MCP_DAILY_BUDGET_USD="10") as client:
        result = await client.call_tool("fuse", question())
        account = (await client.call_tool("account", {})).structured_content
    cost = result.structured_content["cost_usd"]
    assert account["today"]["total_usd"] == cost
    assert account["today"]["by_tool"] == {"fuse": cost}
    assert account["budget_left_usd"] == pytest.approx(10 - cost)
    assert text_of(result).splitlines()[-1] == f"Cost: ${cost:.4f} · today ${cost:.2f} · budget left ${10 - cost:.2f}"


async def test_a_failed_call_that_was_never_accepted_costs_nothing(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "status": 402})
    async with connect(OR_MCP_DAILY_BUDGET_USD="10") as client:
        await client.call_tool("fuse", question())
        account = (await client.call_tool("account", {})).structured_content
    assert account["budget_left_usd"] == 10


async def test_a_broken_call_of_unknown_cost_keeps_its_reservation_until_the_cost_is_known(
    connect: Connect, upstream: Upstream
):
    upstream.script({"path": "/responses", "cut_at_event": 12}, {"path": "/generation", "status": 404, "times": 1})
    async with connect(OR_MCP_DAILY_BUDGET_USD="10") as client:
        told = text_of(await client.call_tool("fuse", question()))
        assert "Spent: unknown (generation gen-" in told
        reserved = (await client.call_tool("account", {})).structured_content["budget_left_usd"]
        assert reserved < 10
        run_id = told.partition("Run: ")[2].split()[0]
        with anyio.fail_after(120):
            while (await client.call_tool("run", {"run_id": run_id})).structured_content["cost_usd"] is None:
                await anyio.sleep(0.1)
        left = (await client.call_tool("account", {})).structured_content["budget_left_usd"]
    assert reserved < left < 10


async def test_the_limit_on_the_key_counts_when_it_is_lower(connect: Connect, upstream: Upstream):
    upstream.reset(limit="0.00001")
    async with connect() as client:
        told = text_of(await client.call_tool("fuse", question()))
    assert told.startswith("over_budget:")
    assert "left on the OpenRouter key" in told
    assert not upstream.posts()


@pytest.mark.parametrize(
    "key",
    [
        {"limit_remaining": 1e-6, "effective_budget": {"remaining_usd": 50}},
        {"limit_remaining": 50, "effective_budget": {"remaining_usd": 1e-6}},
        {"limit_remaining": None, "effective_budget": {"remaining_usd": 1e-6}},
        {"limit_remaining": 1e-6},
        {"limit_remaining": 0},
        {"limit_remaining": -3},
    ],
)
async def test_whatever_limits_a_key_the_most_is_its_limit(connect: Connect, upstream: Upstream, key: dict[str, Any]):
    upstream.script({"path": "/key", "status": 200, "body": {"data": {"label": "k", **key}}})
    async with connect() as client:
        told = text_of(await client.call_tool("ask", {"prompt": "?", "model": PANEL[0], "max_output_tokens": 1000}))
    assert told.startswith("over_budget: ")
    assert "key" in told
    assert not upstream.posts()


@pytest.mark.parametrize("key", [{"limit_remaining": None}, {"limit_remaining": 50, "effective_budget": None}, {}])
async def test_a_key_without_a_limit_that_counts_may_spend(connect: Connect, upstream: Upstream, key: dict[str, Any]):
    upstream.script({"path": "/key", "status": 200, "body": {"data": {"label": "k", **key}}})
    async with connect() as client:
        assert not (await client.call_tool("ask", {"prompt": "?", "model": PANEL[0]})).is_error
    assert len(upstream.posts()) == 1


async def test_what_is_free_may_be_asked_when_nothing_is_left(connect: Connect, upstream: Upstream):
    key = {"label": "k", "limit_remaining": 0}
    upstream.script({"path": "/key", "status": 200, "body": {"data": key}})
    free = {"prompt": "?", "model": "deepseek/deepseek-r1-0528:free"}
    async with connect() as client:
        result = await client.call_tool("ask", free)
    assert not result.is_error, text_of(result)
    assert len(upstream.posts()) == 1


@pytest.mark.parametrize("database_url", [None])
@pytest.mark.parametrize("command", [(), ("ask", "Hello?")])
async def test_a_daily_budget_without_a_store_that_keeps_it_is_refused_at_start(
    environment: dict[str, str], tmp_path: Path, command: tuple[str, ...]
):
    (tmp_path / "file").write_text("not a directory")
    broken = environment | {"OR_MCP_DATA_DIR": str(tmp_path / "file"), "OR_MCP_DAILY_BUDGET_USD": "1"}
    ended = await anyio.run_process([sys.executable, "-m", "or_mcp", *command], env=broken, check=False)
    [line] = ended.stderr.decode().strip().splitlines()
    assert (ended.returncode, line.startswith("or-mcp: OR_MCP_DAILY_BUDGET_USD holds '1'")) == (2, True)
    assert "OR_MCP_STORE=off" in line


async def test_a_budget_of_one_process_alone_says_so_in_every_answer(connect: Connect):
    async with connect(OR_MCP_STORE="off", OR_MCP_DAILY_BUDGET_USD="1") as client:
        result = await client.call_tool("ask", {"prompt": "Hello?", "model": PANEL[0]})
    assert "The daily budget (OR_MCP_DAILY_BUDGET_USD) holds for this process only." in text_of(result)


async def test_a_refusal_names_the_daily_budget_in_its_next_step(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_DAILY_BUDGET_USD="0.0001") as client:
        told = text_of(await client.call_tool("fuse", question()))
    assert "can cost $" in told
    assert "raise OR_MCP_DAILY_BUDGET_USD" in told.partition("Next: ")[2]
    assert not upstream.posts()


@pytest.mark.parametrize("asked", [{}, {"max_cost_usd": 1000}])
async def test_no_argument_lifts_the_operators_ceiling(connect: Connect, upstream: Upstream, asked: dict[str, Any]):
    upstream.script({"greedy": True})
    async with connect(OR_MCP_MAX_COST_PER_CALL_USD="1") as client:
        result = await client.call_tool("ask", {"prompt": "Hello?", "model": "anthropic/claude-opus-5", **asked})
    (post,) = upstream.posts("/chat/completions")
    assert post.body["stop_server_tools_when"] == [{"type": "max_cost", "max_cost_in_dollars": 1.0}]
    assert result.structured_content["cost_usd"] <= 1
    assert text_of(result).startswith("Cut off: limited to ")


async def test_one_call_of_unknown_price_at_a_time_is_bounded_by_what_upstream_is_told(
    connect: Connect, upstream: Upstream
):
    async with connect(OR_MCP_DAILY_BUDGET_USD="1") as client:
        result = await client.call_tool("ask", {"prompt": "Hello?"})
    (post,) = upstream.posts("/chat/completions")
    most = result.structured_content["cost_estimate_usd"]["most"]
    told = {name: float(price) for name, price in post.body["provider"]["max_price"].items()}
    assert told["completion"] * post.body["max_completion_tokens"] / 1e6 + told["request"] < most <= 1


async def test_a_limit_that_the_caller_named_is_never_lowered(connect: Connect, upstream: Upstream):
    asked = {"prompt": "Hello?", "model": "anthropic/claude-opus-5", "max_output_tokens": 60_000, "max_cost_usd": 0.5}
    async with connect() as client:
        told = text_of(await client.call_tool("ask", asked))
    assert told.startswith("over_budget:")
    assert not upstream.posts()


async def test_what_the_key_has_left_is_counted_down_between_looks(connect: Connect, upstream: Upstream):
    asked = {"model": "openai/gpt-5-mini", "max_output_tokens": 20_000}
    upstream.reset(limit="0.1")
    upstream.script({"greedy": True})
    async with connect() as client:
        told = [text_of(await client.call_tool("ask", {"prompt": f"Question {n}?", **asked})) for n in range(5)]
    assert len(upstream.posts()) == 2
    assert all("left on the OpenRouter key" in text for text in told[2:])


async def test_what_a_provider_bills_itself_is_told_beside_ours(connect: Connect, environment: dict[str, str]):
    async with connect(OPENROUTER_API_KEY="sk-or-byok-1") as client:
        result = await client.call_tool("ask", {"prompt": "Hello?", "model": "openai/gpt-5-mini"})
    assert result.structured_content["provider_cost_usd"] > result.structured_content["cost_usd"]
    assert "billed by your provider · today" in text_of(result).splitlines()[-1]
