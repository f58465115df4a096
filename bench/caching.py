"""What a conversation about a long document costs, beside the same with every prompt billed in full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.figures import Aim, Figure
from bench.programs import PRODUCT, simulator
from bench.protocol import MODERN
from bench.session import session

_MODEL, _TURNS = "anthropic/claude-sonnet-5", 12
# About 20,000 tokens.
_DOCUMENT = "The ledger of the harbour lists every ship that came in and what it paid. " * 1_060


def caching(data: Path) -> Iterator[Figure]:
    """Twelve turns over a document of 20,000 tokens, on the simulator's bill."""
    with simulator() as base_url, session(PRODUCT, base_url, data, MODERN) as opened:
        opened.open()
        listed = opened.told("list_models", {"query": _MODEL, "limit": 1})["models"][0]
        run_id, cost, uncached = "", 0.0, 0.0
        for turn in range(_TURNS):
            question = f"And on day {turn}?" if run_id else f"What is this?\n{_DOCUMENT}"
            told = opened.told("ask", {"model": _MODEL, "prompt": question, "continue_run": run_id})
            run_id, usage = told["run_id"], told["usage"]
            cost += told["cost_usd"]
            uncached += usage["input_tokens"] * listed["input_price"] + usage["output_tokens"] * listed["output_price"]
    yield Figure(f"{_TURNS} turns over 20,000 tokens, cached", "USD", cost, uncached / 1e6, Aim(0.35))
