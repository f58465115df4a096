"""A thousand rows in one call, beside the same requests sent by the same HTTP client on as many connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import httpx2

from bench.figures import Aim, Figure
from bench.programs import PRODUCT, simulator
from bench.protocol import MODERN
from bench.session import session

_ROWS, _LATENCY_MS, _AT_ONCE = 1_000, 50, 8
_SMALL = "openai/gpt-4o-mini"
_QUESTION = {"type": "noul", "instructions": "Is it urgent?"}


def many_rows(data: Path, rounds: int) -> Iterator[Figure]:
    """`decide` and `ask` about 1,000 rows, upstream at 50 ms."""
    faults = data / "slow.json"
    faults.write_text(
        json.dumps([{"match": {"path": path}, "latency_ms": _LATENCY_MS} for path in ("/systemone", _CHAT)])
    )
    with simulator("--faults", str(faults)) as base_url, session(PRODUCT, base_url, data, MODERN) as opened:
        opened.open()
        for tool, asked, path in (("decide", _decide, "../alpha/decisions"), ("ask", _ask, _CHAT)):
            took: list[float] = []
            alone: list[float] = []
            for turn in range(max(rounds // 2, 1)):
                alone.append(asyncio.run(_bare(base_url, path)) * 1000)
                took.append(opened.call(tool, asked(turn)) * 1000)
            name = f"{_ROWS:,} rows at {_LATENCY_MS} ms, {tool}"
            yield Figure(name, "ms", median(took), median(alone), Aim(1.3))


_CHAT = "/chat/completions"
_BODIES: Mapping[str, Mapping[str, Any]] = {
    _CHAT: {"model": _SMALL, "messages": [{"role": "user", "content": "Ship 1?"}], "max_completion_tokens": 20},
    "../alpha/decisions": {"model": "", "state": "Ship 1", "questions": {"urgent": _QUESTION}},
}


def _decide(turn: int) -> dict[str, Any]:
    questions = {"urgent": {"type": "yes_no", "instructions": "Is it urgent?"}}
    return {"questions": questions, "rows": [f"{turn}: ship {number}" for number in range(_ROWS)]}


def _ask(turn: int) -> dict[str, Any]:
    rows = [{"ship": f"{turn}: {number}"} for number in range(_ROWS)]
    return {"model": _SMALL, "prompt": "Ship {ship}?", "rows": rows, "max_output_tokens": 20, "max_cost_usd": 5}


async def _bare(base_url: str, path: str) -> float:
    """Seconds until as many requests are answered, on as many connections, and read as JSON."""
    headers = {"Authorization": "Bearer sk-or-v1-bench"}
    async with httpx2.AsyncClient(base_url=base_url, headers=headers, timeout=30) as client:
        body = dict(_BODIES[path])
        if not body["model"]:
            body["model"] = await _decider(client)
        left = iter(range(_ROWS))
        start = perf_counter()

        async def work() -> None:
            for _ in left:
                (await client.post(path, json=body)).raise_for_status().json()

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
        return perf_counter() - start


async def _decider(client: httpx2.AsyncClient) -> str:
    """Any model that decides."""
    rows = (await client.get("/models", params={"output_modalities": "all"})).json()["data"]
    return next(row["id"] for row in rows if "decision" in json.dumps(row["architecture"]["output_modalities"]))
