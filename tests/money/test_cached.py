"""What is kept in a cache costs more than what is not: no turn of any conversation costs more than was set aside."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from random import Random
from typing import Any

import pytest
from mcp import Client

from or_mcp.simulator import Simulator
from tests.conftest import Connect, text_of
from tests.money.test_bounded import runs_of
from tests.money.world import model, words

# Nearly as many tokens as the text may have at most.
GREEDY = {"greedy": True, "tokens_per_char": 0.53}
TURNS = 5
PAUSES = (0, 200, 900, 900, 3_000, 9_000)
DOCUMENT = "The ledger of the harbour lists every ship that came in and what it paid. " * 300


def makers(rng: Random) -> list[dict[str, Any]]:
    """Models whose makers keep what they are asked to, at any price, and one that keeps all it sees."""
    rows = [model(rng, f"{maker}/model-{n}") for maker in ("anthropic", "qwen", "openai") for n in range(2)]
    # Long conversations are to be paid for here, not refused.
    for row in rows:
        row["context_length"] = 1_000_000
        fresh = float(row["pricing"]["prompt"])
        times = {"input_cache_read": (0.05, 1), "input_cache_write": (1, 2), "input_cache_write_1h": (1.5, 3)}
        factors = {name: rng.uniform(*between) for name, between in times.items() if rng.random() < 0.8}
        row["pricing"] |= {name: f"{fresh * factor:.12f}" for name, factor in factors.items()}
    return rows


async def converse(client: Client, rng: Random, store: Path, name: str, number: int) -> int:
    """A conversation with pauses of any length; how many turns were answered."""
    more: dict[str, Any] = {}
    for turn in range(TURNS):
        question = f"{words(rng, 100 * number + turn, 600)} {'' if more else DOCUMENT}"
        asked = {"model": name, "prompt": question, "max_output_tokens": rng.choice([10, 300]), **more}
        result = await client.call_tool("ask", asked)
        if result.is_error:
            assert text_of(result).startswith(("over_budget", "model_unavailable")), text_of(result)
            return turn
        more = {"continue_run": result.structured_content["run_id"]}
        with sqlite3.connect(store) as runs:
            runs.execute("UPDATE runs SET ended = ended - ?", (rng.choice(PAUSES),))
    return TURNS


@pytest.mark.parametrize("seed", range(4))
async def test_no_turn_costs_more_than_was_set_aside_whatever_is_written_to_a_cache(
    connect: Connect, tmp_path: Path, seed: int
):
    rng = Random(seed)
    rows = makers(rng)
    simulator = Simulator(models=rows, faults=[GREEDY], credit="1000000", seed=seed)
    store = tmp_path / "data" / "runs.sqlite3"
    async with simulator.running() as base_url, connect(OPENROUTER_BASE_URL=base_url) as client:
        turns = [await converse(client, rng, store, row["id"], number) for number, row in enumerate(rows)]
    marks = [post.body.get("cache_control") for post in simulator.posts("/chat/completions")]
    assert {"type": "ephemeral"} in marks
    assert sum(turns) > len(rows) * TURNS / 2
    spent = runs_of(tmp_path)
    assert not [(run_id, most, cost) for run_id, most, cost in spent if cost and most and cost > most]
