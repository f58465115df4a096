"""Whatever befalls hosts and their database: nothing is sent twice, nothing is lost, and every cent is counted."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from or_mcp.simulator import Simulator
from tests.conftest import text_of
from tests.fleet.world import Host, fleet
from tests.postgres import Postgres, needs_postgres, server
from tests.serving.programs import fetched

pytestmark = needs_postgres
UNITS = Decimal(10) ** 12
MINI = "openai/gpt-5-mini"
HISTORY = """
    CREATE TABLE history (run_id TEXT, n BIGSERIAL, status TEXT, seq BIGINT);
    CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO history (run_id, status, seq) VALUES (NEW.run_id, NEW.status, NEW.seq); RETURN NEW; END $$;
    CREATE TRIGGER remember AFTER INSERT OR UPDATE OF status ON runs FOR EACH ROW EXECUTE FUNCTION remember();
"""


class Nemesis:
    """What goes wrong, by dice."""

    def __init__(self, dice: random.Random, hosts: list[Host], postgres: Postgres) -> None:
        self._dice = dice
        self._hosts = hosts
        self._postgres = postgres
        self.done: Counter[str] = Counter()

    async def haunt(self, seconds: float, halt_seconds: float) -> None:
        """Do one thing after another."""
        end = time.monotonic() + seconds
        troubles: list[Callable[[float], Any]] = [self._kill, self._cut_off, self._break, self._commits, self._database]
        while time.monotonic() < end:
            trouble = self._dice.choice([*troubles, self._halt])
            self.done[trouble.__name__] += 1
            await trouble(halt_seconds)
            await anyio.sleep(self._dice.uniform(0.5, 2))

    @property
    def _host(self) -> Host:
        return self._dice.choice(self._hosts)

    async def _kill(self, _: float) -> None:
        host = self._host
        host.kill()
        await anyio.sleep(self._dice.uniform(0, 3))
        host.start()

    async def _halt(self, seconds: float) -> None:
        host = self._host
        host.send(signal.SIGSTOP)
        await anyio.sleep(seconds)
        host.send(signal.SIGCONT)

    async def _cut_off(self, _: float) -> None:
        host = self._host
        host.way.hold()
        await anyio.sleep(self._dice.uniform(1, 12))
        host.way.release()

    async def _break(self, _: float) -> None:
        host = self._host
        host.way.refuse()
        await anyio.sleep(self._dice.uniform(1, 6))
        host.way.release()

    async def _commits(self, _: float) -> None:
        self._host.way.cut_commits(3)

    async def _database(self, _: float) -> None:
        self._postgres.kill()
        await anyio.sleep(self._dice.uniform(0, 3))
        await anyio.to_thread.run_sync(self._postgres.start)


async def ask(host: Host, number: int) -> str | None:
    """What a host says to a question, if it answers."""
    with suppress(Exception), anyio.move_on_after(30):
        async with Client(host.url) as client:
            return text_of(await client.call_tool("ask", {"model": MINI, "prompt": f"Question {number}?"}))
    return None


async def ask_on_and_on(hosts: list[Host], dice: random.Random, seconds: float, first: int) -> None:
    """A caller with one question after another, who does not mind who answers."""
    end, number = time.monotonic() + seconds, first
    while time.monotonic() < end:
        await ask(dice.choice(hosts), number)
        number += 1


async def sample(postgres: Postgres, database: str, samples: list[Decimal]) -> None:
    """What the database says was spent and set aside, again and again."""
    query = "SELECT coalesce(sum(charged_usd), 0) FROM ledger WHERE scope LIKE 'payer:%' AND day <> ''"
    while True:
        with suppress(Exception):
            [(units,)] = await anyio.to_thread.run_sync(postgres.execute, query, database)
            samples.append(Decimal(units) / UNITS)
        await anyio.sleep(0.1)


@pytest.mark.parametrize(
    ("seed", "seconds", "halt_seconds"),
    [
        pytest.param(1, 15, 3, marks=[pytest.mark.slow, pytest.mark.timeout(240)]),
        *(
            pytest.param(seed, 120, 40, marks=[pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)])
            for seed in (2, 3)
        ),
    ],
)
async def test_nothing_is_sent_twice_or_lost_and_every_cent_is_counted(
    tmp_path: Path, seed: int, seconds: float, halt_seconds: float
):
    dice, simulator, samples = random.Random(seed), Simulator(generation_lag_s=0.5), list[Decimal]()
    simulator.script({"path": "/chat/completions", "duration_s": 2})
    limit = Decimal(1)
    with ExitStack() as stack:
        base_url = stack.enter_context(simulator.serve_in_thread())
        postgres = stack.enter_context(server())
        database = postgres.fresh().rpartition("/")[2]
        hosts = stack.enter_context(
            fleet(base_url, tmp_path, postgres, database, 3, OR_MCP_DAILY_BUDGET_USD=str(limit))
        )
        for host in hosts:
            await anyio.to_thread.run_sync(host.until_ready)
        postgres.execute(HISTORY, database)
        nemesis = Nemesis(dice, hosts, postgres)
        async with anyio.create_task_group() as watching:
            watching.start_soon(sample, postgres, database, samples)
            async with anyio.create_task_group() as group:
                group.start_soon(nemesis.haunt, seconds, halt_seconds)
                for caller in range(6):
                    group.start_soon(ask_on_and_on, hosts, random.Random(caller), seconds, caller * 100_000)
            watching.cancel_scope.cancel()
        for host in hosts:
            host.way.release()
            await anyio.to_thread.run_sync(host.until_ready)
        await settled(postgres, database)
        runs = postgres.execute("SELECT run_id, status, lost_at, prompt, generation_id FROM runs", database)
        check_posts(simulator, [prompt for *_, prompt, _ in runs])
        check_history(postgres.execute("SELECT run_id, status FROM history ORDER BY n", database))
        check_money(base_url, postgres, database)
    assert max(samples) <= limit
    assert nemesis.done
    assert any(status == "completed" for _, status, *_ in runs)


async def settled(postgres: Postgres, database: str) -> None:
    """Nothing is under way 45 s after the end, and what upstream can tell of costs is known."""
    running = "SELECT count(*) FROM runs WHERE status = 'running' AND lost_at IS NULL"
    with anyio.fail_after(120):
        while postgres.execute(running, database) != [(0,)]:
            await anyio.sleep(0.2)


def check_posts(simulator: Simulator, prompts: list[str]) -> None:
    """Every POST upstream is a run, and was sent once."""
    sent = Counter(each.body["messages"][-1]["content"] for each in simulator.posts("/chat/completions"))
    told = {str(prompt): times for prompt, times in sent.items() if times > 1}
    asked = Counter(prompts)
    assert not {prompt: times for prompt, times in told.items() if times > asked[prompt]}
    assert not set(map(str, sent)) - set(asked)


def check_history(history: list[Any]) -> None:
    """No status that is an end changes."""
    last: dict[str, str] = {}
    for run_id, status in history:
        assert last.get(run_id, "running") in ("running", status), (run_id, last[run_id], status)
        last[run_id] = status


def check_money(base_url: str, postgres: Postgres, database: str) -> None:
    """The ledger is the sum of the runs, and each cost that is known is what upstream billed, exactly."""
    [(ledger, runs)] = postgres.execute(
        "SELECT (SELECT coalesce(sum(charged_usd), 0) FROM ledger WHERE scope LIKE 'payer:%' AND day <> ''), "
        "(SELECT coalesce(sum(charged_usd), 0) FROM runs)",
        database,
    )
    assert ledger == runs
    [(set_aside,)] = postgres.execute("SELECT sum(set_aside_usd) FROM ledger WHERE scope LIKE 'payer:%'", database)
    assert set_aside == 0
    known = postgres.execute("SELECT generation_id, cost_usd FROM runs WHERE generation_id IS NOT NULL", database)
    for generation, cost in known:
        if cost is not None:
            assert Decimal(cost) / UNITS == billed(base_url, generation)
    assert any(cost for _, cost in known)


def billed(base_url: str, generation: str) -> Decimal:
    """What upstream billed for a generation, which it knows a while after its end."""
    until = time.monotonic() + 30
    while (found := fetched(f"{base_url}/generation?id={generation}", Authorization="Bearer sk-or-test"))[0] == 404:
        assert time.monotonic() < until, generation
        time.sleep(0.1)
    return Decimal(str(json.loads(found[2], parse_float=str)["data"]["total_cost"]))
