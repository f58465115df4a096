"""`or-mcp account` shows what the ledger holds."""

from __future__ import annotations

import json
import random
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from or_mcp.calls.caller import Caller
from or_mcp.cli.account import lines_of
from or_mcp.cli.terminal import width
from or_mcp.runs import ledger, queries
from or_mcp.runs.amounts import start_of_day
from or_mcp.runs.engines.sqlite import SqliteTransaction
from or_mcp.runs.record import RunRecord, RunRequest
from or_mcp.runs.schema import migrate
from or_mcp.settings import read_settings
from tests.conftest import Upstream

MODELS = [("openai/gpt-5-mini",), ("anthropic/claude-opus-5", "openai/gpt-5.6-sol"), ("google/gemini-3.1-pro-preview",)]
MICRO = Decimal(10) ** -6


@dataclass
class Month:
    """What was spent, added up by hand."""

    total: Decimal = Decimal(0)
    today: Decimal = Decimal(0)
    set_aside_today: Decimal = Decimal(0)
    unknown: int = 0
    by_tool: Counter[str] = field(default_factory=Counter[str])
    by_model: Counter[str] = field(default_factory=Counter[str])
    by_day: Counter[str] = field(default_factory=Counter[str])


def a_month(environment: dict[str, str], seed: int) -> Month:
    """Runs of a month in the store: some end without a cost, and of some of those it comes late."""
    dice, month, folder = random.Random(seed), Month(), Path(environment["OR_MCP_DATA_DIR"])
    folder.mkdir(mode=0o700)
    settings = read_settings(environment)
    me = Caller.of(settings.api_key, settings.base_url)
    with closing(sqlite3.connect(folder / "runs.sqlite3", isolation_level=None)) as connection:
        migrate(connection)
        tx = SqliteTransaction(connection)
        for number in range(400):
            days = dice.randrange(30)
            started = start_of_day() + timedelta(seconds=number) - timedelta(days=days)
            tool, models, most = (
                dice.choice(["fuse", "ask", "embed"]),
                dice.choice(MODELS),
                dice.randrange(10**6) * MICRO,
            )
            request = RunRequest(tool, me.id, me.payer, str(number), "{}", models, "?")
            run = RunRecord(f"run_{number}", request, started, "1-here", charged_usd=most, generation_id="gen-x")
            queries.save(tx, run)
            cost = dice.choice([None, None, most / 3, most / 7])
            is_late = cost is not None and dice.random() < 0.3
            queries.save(tx, replace(run, cost_usd=None if is_late else cost).end("completed"))
            if is_late and cost is not None:
                assert ledger.learn(tx, run.run_id, cost)
            known = (cost or Decimal(0)).quantize(Decimal(10) ** -12)
            month.unknown += cost is None
            month.total += known
            month.by_tool[tool] += known  # pyright: ignore[reportArgumentType]
            month.by_model[" + ".join(models)] += known  # pyright: ignore[reportArgumentType]
            month.by_day[str(started.date())] += known  # pyright: ignore[reportArgumentType]
            month.today += known if not days else 0
            month.set_aside_today += most if cost is None and not days else 0
    return month


async def account(environment: dict[str, str], *options: str) -> str:
    command = [sys.executable, "-m", "or_mcp", "account", *options]
    return (await anyio.run_process(command, env=environment, stderr=subprocess.STDOUT)).stdout.decode()


@pytest.mark.parametrize("seed", [1, 2])
async def test_its_figures_are_those_of_a_month_with_unknown_and_late_costs(
    upstream: Upstream, environment: dict[str, str], seed: int
):
    month = a_month(environment, seed)
    told = json.loads(await account(environment, "--json"))
    spent = told["last_30_days"]
    assert spent["total_usd"] == pytest.approx(float(month.total), abs=1e-9)
    assert spent["runs_of_unknown_cost"] == month.unknown > 20
    for part, expected in (("by_tool", month.by_tool), ("by_model", month.by_model), ("by_day", month.by_day)):
        assert spent[part] == pytest.approx({name: float(amount) for name, amount in expected.items()}, abs=1e-9)
    assert told["today"]["total_usd"] == pytest.approx(float(month.today), abs=1e-9)
    assert told["set_aside_usd"] == pytest.approx(float(month.set_aside_today), abs=1e-9)
    text = await account(environment)
    shown = {name: float(amount) for name, amount in re.findall(r"^  (\w+) +\$([\d.]+)", text, flags=re.MULTILINE)}
    assert shown == pytest.approx({tool: float(amount) for tool, amount in month.by_tool.items()}, abs=0.005)
    assert f"Last 30 days ${month.total:,.2f}, and {month.unknown} runs of unknown cost" in text


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_bars_fit_the_width_and_are_as_long_as_their_amounts(columns: int):
    long = "anthropic/claude-opus-5 + openai/gpt-5.6-sol + google/gemini-3.1-pro-preview"
    month = {"total_usd": 3.0, "runs_of_unknown_cost": 0, "by_tool": {"fuse": 2.0, "ask": 1.0}}
    month |= {"by_model": {long: 3.0}, "by_day": {"2026-11-01": 1.0, "2026-11-02": 2.0}}
    told = {"today": month, "last_30_days": month, "budget_left_usd": 1.0}
    lines = list(lines_of(told, Decimal(4), columns))
    drawn = [line for line in lines if "█" in line and "$" in line and "left" not in line]
    assert all(width(line) <= columns for line in drawn), drawn
    fuse, ask, *_ = [line.count("█") for line in lines if re.match(r"  (fuse|ask)", line)]
    assert abs(fuse - 2 * ask) <= 2
    if columns >= 80:
        (budget,) = [line for line in lines if line.startswith("Daily budget")]
        assert budget.count("█") == 3 * budget.count("░")


async def test_without_a_key_and_without_runs_it_says_so(upstream: Upstream, environment: dict[str, str]):
    text = await account(environment | {"OPENROUTER_API_KEY": ""})
    assert text.startswith("Today $0")
    assert "No OpenRouter key is set" in text
