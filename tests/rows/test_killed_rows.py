"""Whenever a process dies amid its rows, none is paid twice, and all results are there after it is taken up again."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from or_mcp.catalogue.prices import Estimate
from or_mcp.rows.keeping import KeptRows
from or_mcp.rows.result import RowsResult
from or_mcp.runs.rows import Row
from or_mcp.runs.store import Store
from tests.conftest import Upstream, text_of
from tests.rows.test_rows import QUESTIONS, ROWS, answered
from tests.runs.program import Killable, started
from tests.tools.test_decide import PATH, states


async def decided(server: Killable, **arguments: Any) -> dict[str, Any]:
    result = await server.client.call_tool("decide", {"questions": QUESTIONS, "rows": ROWS, **arguments})
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    return result.structured_content


async def sent(upstream: Upstream, count: int) -> None:
    with anyio.fail_after(60):
        while len(upstream.posts(PATH)) < count:
            await anyio.sleep(0.005)


@pytest.mark.parametrize("count", [1, 11, 47])
async def test_killed_amid_its_rows_none_is_paid_twice_and_the_rest_is_asked(
    upstream: Upstream, environment: dict[str, str], count: int
):
    upstream.script({"match": {"path": PATH}, "latency_ms": 40})
    environment |= {"OR_MCP_DAILY_BUDGET_USD": "1"}
    async with started(environment) as server:
        killed = await decided(server, wait_seconds=0)
        await sent(upstream, count)
        await server.kill()
    async with started(environment) as server:
        shown = (await server.client.call_tool("run", {"run_id": killed["run_id"]})).structured_content
        again = await decided(server, wait_seconds=120)
        assert shown["status"] == "interrupted"
        # What was under way may have been billed: it is told, and not sent again unasked.
        doubtful = {row["row"] for row in again.get("failed", [])}
        assert len(doubtful) <= 8
        assert all("may have been billed" in row["error"] for row in again.get("failed", []))
        assert sorted({*answered(again), *doubtful}) == list(range(len(ROWS)))
        assert set(Counter(states(upstream)).values()) == {1}
        assert set(answered(shown)) <= set(answered(again))
        whole = await decided(server, wait_seconds=120)
    assert answered(whole) == list(range(len(ROWS)))
    times = Counter(states(upstream))
    assert {n for n, row in enumerate(ROWS) if times[row] > 1} <= doubtful


async def test_killed_rows_count_with_what_they_cost_and_may_have_cost(upstream: Upstream, environment: dict[str, str]):
    upstream.script({"match": {"path": PATH, "skip": 30}, "latency_ms": 60_000})
    environment |= {"OR_MCP_DAILY_BUDGET_USD": "1"}
    async with started(environment) as server:
        killed = await decided(server, wait_seconds=0)
        await sent(upstream, 38)
        await server.kill()
    async with started(environment) as server:
        await server.client.call_tool("run", {"run_id": killed["run_id"]})
        left = (await server.client.call_tool("account", {})).structured_content["budget_left_usd"]
    most = killed["cost_estimate_usd"]["most"]
    assert 8 / 60 * most * 0.9 < 1 - left < most / 2, (most, left)


def test_what_rows_have_cost_until_now_is_not_what_their_run_has_cost(tmp_path: Path):
    rows, store = [Row(0, "answered", "{}", Decimal("0.01"))], Store(tmp_path)
    several, alone = (
        KeptRows("a/b", RowsResult(total), rows, store, Estimate(None, None, None), None, None) for total in (2, 1)
    )
    store.close()
    assert (several.kept().in_parts, alone.kept().in_parts) == (True, False)
