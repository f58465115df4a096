"""Spending stands in a ledger that moves with every run, whoever writes it, and that nothing forgets."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from or_mcp.calls.caller import Caller
from or_mcp.runs import ledger, queries
from or_mcp.runs.amounts import start_of_day
from or_mcp.runs.owners import Owner
from or_mcp.runs.record import RunRecord, RunRequest, Status
from or_mcp.runs.spending import Estimated, spending_since
from or_mcp.runs.transaction import Transaction
from tests.conftest import Connect, Upstream, text_of
from tests.runs.before import UNITS, Before

ASK = {"model": "openai/gpt-5-mini", "prompt": "Monolith or microservices?"}
DEAR = ASK | {"model": "openai/gpt-5.4-pro", "max_output_tokens": 20_000}


def a_run(tx: Transaction, run_id: str, **values: Any) -> RunRecord:
    started = start_of_day().replace(hour=12)
    run = RunRecord(run_id, RunRequest("ask", "me", "key", run_id, "{}", ("a/b",), "?"), started, "1-here")
    asked = {name: values.pop(name) for name in ("low_usd", "high_usd", "most_usd") if name in values}
    return replace(run, request=replace(run.request, **asked), **values)


def standing(tx: Transaction) -> tuple[Decimal, Decimal]:
    of_payer, of_caller = ledger.shares(tx, "key", "me")
    assert of_payer == of_caller
    return of_payer.charged, of_payer.set_aside


def summed(tx: Transaction) -> tuple[Decimal, Decimal]:
    """The same, from the runs themselves."""
    rows = tx.execute("SELECT charged_usd, status FROM runs").fetchall()
    charged = sum(Decimal(units) for units, _ in rows) / UNITS
    return Decimal(charged), Decimal(sum(units for units, status in rows if status == "running")) / UNITS


def test_a_run_is_set_aside_then_charged_and_a_late_cost_moves_it_once(tx: Transaction):
    run = a_run(tx, "r", charged_usd=Decimal(2), generation_id="gen-1")
    queries.save(tx, run)
    assert standing(tx) == (2, 2)
    ended = run.end("interrupted")
    for _ in range(2):
        queries.save(tx, ended)
        assert standing(tx) == (2, 0)
    assert spending_since(tx, "me", start_of_day()).unknown == 1
    assert [ledger.learn(tx, "r", Decimal("0.5")) for _ in range(2)] == [True, False]
    assert standing(tx) == (Decimal("0.5"), 0)
    spending = spending_since(tx, "me", start_of_day())
    assert (spending.total_usd, spending.unknown) == (Decimal("0.5"), 0)
    assert spending.by_model == {"a/b": Decimal("0.5")}


def test_estimates_are_compared_with_bills_where_all_of_them_are_known(tx: Transaction):
    known = {"low_usd": Decimal(1), "high_usd": Decimal(2), "most_usd": Decimal(4)}
    for number, (estimate, cost) in enumerate(
        [(known, Decimal(3)), (known, Decimal(1)), (known, None), (known | {"most_usd": None}, Decimal(9))]
    ):
        run = a_run(tx, f"r{number}", charged_usd=Decimal(4), generation_id="gen", cost_usd=cost, **estimate)
        queries.save(tx, run.end("completed"))
    assert spending_since(tx, "me", start_of_day()).estimates == {
        "ask": Estimated(2, Decimal(2), Decimal(4), Decimal(8), Decimal(4))
    }


def test_whatever_becomes_of_runs_the_ledger_is_their_sum(tx: Transaction):
    dice = random.Random(7)
    runs: dict[str, RunRecord] = {}
    states: tuple[Status, ...] = ("running", "completed", "failed", "interrupted")
    for step in range(600):
        run_id = f"r{dice.randrange(40)}"
        cost = dice.choice([None, Decimal(dice.randrange(10**13)) / UNITS])
        run = runs.get(run_id) or a_run(tx, run_id, charged_usd=Decimal(dice.randrange(10**13)) / UNITS)
        status = dice.choice(states)
        run = replace(run, generation_id="gen", cost_usd=cost)
        runs[run_id] = replace(run, status="running") if status == "running" else run.end(status)
        queries.save(tx, runs[run_id])
        if dice.random() < 0.2:
            ledger.learn(tx, run_id, Decimal(dice.randrange(10**13)) / UNITS)
        assert standing(tx) == summed(tx), step


def test_amounts_that_no_call_can_have_cost_move_the_ledger_within_what_it_holds(tx: Transaction):
    for number in range(300):
        huge = Decimal(10) ** (number % 40)
        run = a_run(tx, f"r{number}", charged_usd=huge, low_usd=huge, high_usd=huge, most_usd=huge, cost_usd=huge)
        queries.save(tx, run)
        if number % 2:
            queries.save(tx, run.end("completed"))
    charged, set_aside = standing(tx)
    assert Decimal(8_000_000) < charged < Decimal(10**9) / 100
    assert set_aside <= charged
    assert spending_since(tx, "me", start_of_day()).total_usd > 8_000_000


@pytest.mark.parametrize("database_url", [None])
def test_what_budgets_ask_is_one_row_found_by_its_key(tx: Transaction):
    (*_, plan) = tx.execute(
        "EXPLAIN QUERY PLAN SELECT charged_usd, set_aside_usd FROM ledger WHERE scope = ? AND day = ?", ("", "")
    ).fetchone()
    assert plan.startswith("SEARCH ledger USING INDEX")
    assert "(scope=? AND day=?)" in plan


@pytest.mark.parametrize("database_url", [None])
def test_what_is_not_booked_is_found_without_looking_at_runs(tx: Transaction):
    (*_, plan) = tx.execute(
        f"EXPLAIN QUERY PLAN SELECT run_id FROM runs WHERE {ledger.NOT_BOOKED} AND started >= ?",
        (0.0,),
    ).fetchone()
    assert plan == "SEARCH runs USING INDEX runs_not_booked (started>?)"
    assert not ledger.is_behind(tx)


@pytest.mark.usefixtures("forgets_at_once")
async def test_a_daily_budget_outlives_the_runs_that_used_it(connect: Connect):
    cost = 0.0
    for number in range(2):
        async with connect(OR_MCP_RETENTION_DAYS="0", OR_MCP_DAILY_BUDGET_USD="10") as client:
            with anyio.fail_after(120):
                while (await client.call_tool("run", {})).structured_content["runs"]:
                    await anyio.sleep(0.02)
            cost += (await client.call_tool("ask", ASK | {"temperature": number})).structured_content["cost_usd"]
            left = (await client.call_tool("account", {})).structured_content["budget_left_usd"]
            assert left == pytest.approx(10 - cost)


async def test_what_was_spent_before_the_ledger_was_there_counts_at_once(connect: Connect, environment: dict[str, str]):
    file, caller = _store(environment)
    before = Before(file, caller)
    for number in range(700):
        before.save(
            f"r{number}", status="completed", ended=time.time(), cost_usd=UNITS // 100, charged_usd=UNITS // 100
        )
    before.save("old", status="completed", started=time.time() - 5 * 86400, cost_usd=UNITS, charged_usd=UNITS)
    before.close()
    async with connect(OR_MCP_DAILY_BUDGET_USD="7") as client:
        refused = text_of(await client.call_tool("ask", ASK))
        with anyio.fail_after(120):
            while (await client.call_tool("account", {})).structured_content["last_30_days"]["total_usd"] < 8:
                await anyio.sleep(0.02)
        account = (await client.call_tool("account", {})).structured_content
    assert refused.startswith("over_budget:")
    assert account["today"]["total_usd"] == 7
    assert account["last_30_days"]["by_tool"] == {"ask": 8}


async def test_a_program_of_the_release_before_goes_on_with_its_runs_beside_this_one(
    connect: Connect, environment: dict[str, str], upstream: Upstream
):
    file, caller = _store(environment)
    before, process = Before(file, caller), Owner(file.parent / "owners")
    process.hold()
    before.save("in-flight", owner=process.token)
    async with connect(OR_MCP_DAILY_BUDGET_USD="10") as client:
        mine = await client.call_tool("ask", ASK)
        cost = mine.structured_content["cost_usd"]
        before.save("begun-later", owner=process.token, charged_usd=8 * UNITS)
        refused = text_of(await client.call_tool("ask", DEAR))
        before.save("begun-later", status="completed", ended=time.time(), cost_usd=UNITS, charged_usd=UNITS, result="x")
        before.save("in-flight", status="completed", ended=time.time(), cost_usd=UNITS, charged_usd=UNITS, result="y")
        with anyio.fail_after(120):
            while (await client.call_tool("account", {})).structured_content["budget_left_usd"] != pytest.approx(
                8 - cost
            ):
                await anyio.sleep(0.05)
        rows = (await client.call_tool("run", {})).structured_content["runs"]
    before.close()
    process.release()
    assert refused.startswith("over_budget:")
    assert len(upstream.posts()) == 1
    assert {row["run_id"]: row["status"] for row in rows} == {
        "begun-later": "completed",
        "in-flight": "completed",
        mine.structured_content["run_id"]: "completed",
    }
    with closing(sqlite3.connect(file)) as store:
        assert dict(store.execute("SELECT run_id, result FROM runs WHERE tool = 'ask' AND length(result) = 1")) == {
            "begun-later": "x",
            "in-flight": "y",
        }


def _store(environment: dict[str, str]) -> tuple[Path, str]:
    owner = Caller.of(environment["OPENROUTER_API_KEY"], environment["OPENROUTER_BASE_URL"])
    return Path(environment["OR_MCP_DATA_DIR"]) / "runs.sqlite3", owner.id
