"""Random catalogues and calls, and an upstream that takes all it is allowed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Any

PANEL_SIZE = 3
_WORDS = ("the ledger", "of a", "harbour", "lists every", "ship that", "came in,", "what it", "paid,", "where it went")


def price(rng: Random, low: float, high: float) -> str:
    """A price somewhere between, as likely small as large."""
    return f"{math.exp(rng.uniform(math.log(low), math.log(high))):.12f}"


def pricing(rng: Random) -> dict[str, Any]:
    """Prices with any field that a row may have, and conditions that change them."""
    listed: dict[str, Any] = {"prompt": price(rng, 2e-8, 1.5e-5), "completion": price(rng, 1e-7, 8e-5)}
    others = {
        "input_cache_write": price(rng, 2e-8, 2e-5),
        "input_cache_read": price(rng, 2e-9, 2e-6),
        "internal_reasoning": price(rng, 1e-7, 9e-5),
        "request": price(rng, 1e-5, 1e-2),
        "image": price(rng, 1e-4, 1e-2),
        "web_search": price(rng, 1e-3, 3e-2),
    }
    listed |= {name: value for name, value in others.items() if rng.random() < 0.3}
    if rng.random() < 0.3:
        listed["overrides"] = [_override(rng) for _ in range(rng.randint(1, 3))]
    return listed


def _override(rng: Random) -> dict[str, Any]:
    given = {"prompt": price(rng, 2e-8, 2e-5), "completion": price(rng, 1e-7, 1e-4)}
    kept = {name: value for name, value in given.items() if rng.random() < 0.7}
    if rng.random() < 0.5:
        return kept | {"min_prompt_tokens": rng.choice([50, 500, 5_000])}
    return kept | {"utc_start": rng.choice([0, 600, 1200]), "utc_end": rng.choice([400, 1130, 2359])}


def model(rng: Random, name: str, **more: Any) -> dict[str, Any]:
    """A model that writes."""
    context = rng.choice([16_000, 128_000, 1_000_000])
    supported = ["max_tokens", "structured_outputs", "temperature", "tools", "tool_choice"]
    listed = pricing(rng)
    reasons = "internal_reasoning" in listed or rng.random() < 0.3
    row = {
        "id": name,
        "pricing": listed,
        "context_length": context,
        "top_provider": {"max_completion_tokens": rng.choice([None, 4_000, 32_000])},
        "supported_parameters": [*supported, *(["reasoning"] if reasons else [])],
        **({"reasoning": {"mandatory": True}} if reasons else {}),
    }
    return row | more


def catalogue(rng: Random) -> list[dict[str, Any]]:
    """Rows of every kind, some with prices that nobody knows."""
    router = {"prompt": "-1", "completion": "-1"}
    rows = [model(rng, f"acme/model-{number}") for number in range(12)]
    rows += [model(rng, f"gratis/model-{number}:free", pricing={"prompt": "0", "completion": "0"}) for number in (1, 2)]
    rows += [{"id": "openrouter/auto", "pricing": router}, {"id": "openrouter/fusion", "pricing": router}]
    rows += [_reader(rng, f"acme/embedder-{number}", "embeddings", x_simulated={"dimensions": 8}) for number in (1, 2)]
    rows += [
        _reader(rng, "cohere/rerank-v3.5", "rerank", {"prompt": "0"}, x_simulated={"unit_price": "0.001"}),
        _reader(rng, "acme/reranker-by-token", "rerank", {"prompt": price(rng, 2e-8, 2e-7)}),
        _reader(rng, "acme/reranker-by-request", "rerank", {"prompt": "0", "request": price(rng, 1e-4, 1e-2)}),
    ]
    return rows


def _reader(rng: Random, name: str, makes: str, listed: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    listed = listed or {"prompt": price(rng, 1e-8, 1e-6)}
    shape = {"input_modalities": ["text"], "output_modalities": [makes]}
    row = {"id": name, "pricing": listed | {"completion": "0"}, "architecture": shape, "context_length": 8_192}
    return row | more


@dataclass(frozen=True, slots=True)
class Asked:
    """One call."""

    tool: str
    arguments: dict[str, Any]


def call(rng: Random, number: int, rows: list[dict[str, Any]]) -> Asked:
    """Any call of a paid tool, with any limits."""
    writers = [row["id"] for row in rows if row["id"].startswith(("acme/model", "gratis/"))]
    tool = rng.choices(["ask", "fuse", "embed", "rerank"], [12, 4, 2, 2])[0]
    arguments = {"ask": _ask, "fuse": _fuse, "embed": _embed, "rerank": _rerank}[tool](rng, number, writers)
    if rng.random() < 0.5:
        arguments["max_cost_usd"] = float(price(rng, 1e-3, 5))
    return Asked(tool, arguments)


def words(rng: Random, number: int, most: int) -> str:
    """A question that nobody has asked before."""
    return f"Question {number}: " + " ".join(rng.choices(_WORDS, k=rng.choice([3, 40, most])))


def _ask(rng: Random, number: int, writers: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = {"prompt": words(rng, number, 3_000), "model": rng.choice([*writers, "openrouter/auto"])}
    if rng.random() < 0.2:
        given["fallback_models"] = rng.sample(writers, 2)
    if rng.random() < 0.3:
        given["max_output_tokens"] = rng.choice([100, 1_000, 8_000])
    if rng.random() < 0.3:
        given["web"] = True
    if rng.random() < 0.15:
        given["json_schema"] = {"type": "object", "properties": {"ship": {"type": "string"}}, "required": ["ship"]}
    return given


def _fuse(rng: Random, number: int, writers: list[str]) -> dict[str, Any]:
    panel = rng.sample(writers, rng.randint(1, PANEL_SIZE))
    given: dict[str, Any] = {"prompt": words(rng, number, 500)}
    given |= {"analysis_models": panel, "writer_model": rng.choice(writers)}
    if rng.random() < 0.5:
        given["analyst_model"] = rng.choice(writers)
    if rng.random() < 0.3:
        given["max_completion_tokens"] = rng.choice([2_000, 6_000])
    if rng.random() < 0.3:
        given["max_tool_calls"] = rng.randint(1, 6)
    if rng.random() < 0.4:
        given["web"] = False
    return given


def _embed(rng: Random, number: int, writers: list[str]) -> dict[str, Any]:
    del writers
    texts = [words(rng, number * 1_000 + place, 60) for place in range(rng.randint(2, 40))]
    return {"model": f"acme/embedder-{rng.randint(1, 2)}", "input": texts}


def _rerank(rng: Random, number: int, writers: list[str]) -> dict[str, Any]:
    del writers
    name = rng.choice(["cohere/rerank-v3.5", "acme/reranker-by-token", "acme/reranker-by-request"])
    documents = [words(rng, place, 900) for place in range(rng.choice([2, 30, 120]))]
    return {"model": name, "query": words(rng, number, 40), "documents": documents}
