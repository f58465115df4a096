"""A commit that nobody heard of is neither done twice nor taken for lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Upstream
from tests.fleet.conftest import Hosts
from tests.fleet.proxy import Proxy
from tests.fleet.test_shared import ask
from tests.postgres import Postgres, needs_postgres

pytestmark = needs_postgres


@pytest.mark.parametrize(
    "times", [3, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(900)])]
)
async def test_a_connection_cut_between_commit_and_answer_makes_nothing_twice_and_loses_nothing(
    hosts: Hosts, upstream: Upstream, proxies: Callable[[], Proxy], postgres: Postgres, database: str, times: int
):
    way = proxies()
    async with hosts(1, through=(way,)) as (one,):
        for number in range(times):
            way.cut_commits(1)
            answer = await one.call_tool("ask", ask(number))
            assert answer.structured_content["status"] == "completed", answer
            assert not answer.structured_content.get("replayed")
    assert way.cut == times
    assert len(upstream.posts()) == times
    rows = postgres.execute("SELECT status, owner FROM runs", database)
    assert [status for status, _ in rows] == ["completed"] * times
    [(ledger, runs)] = postgres.execute(
        "SELECT (SELECT sum(charged_usd) FROM ledger WHERE scope LIKE 'payer:%'), (SELECT sum(charged_usd) FROM runs)",
        database,
    )
    assert ledger == runs > 0
    twice = postgres.execute("SELECT run_id, at, step FROM events GROUP BY 1, 2, 3 HAVING count(*) > 1", database)
    assert not twice
