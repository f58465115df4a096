"""Many texts embedded, beside the same requests sent by the same HTTP client and nothing else."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx2
import numpy as np

from bench.catalogue import EMBEDDING_MODEL
from bench.figures import Aim, Figure
from bench.programs import PRODUCT, address
from bench.protocol import MODERN
from bench.session import session

_TEXTS, _CHARS, _LATENCY_MS = 5_000, 200, 50
_BATCH, _AT_ONCE = 100, 8


def embedding(port: int, data: Path, rounds: int) -> Iterator[Figure]:
    """5,000 texts of 200 characters ranked by a query, upstream at 50 ms; then the same again."""
    product: list[float] = []
    again: list[float] = []
    floor: list[float] = []
    base_url = address(port, _LATENCY_MS)
    with session(PRODUCT, base_url, data, MODERN) as opened:
        opened.open()
        for turn in range(rounds + 1):
            texts = [f"{turn} {number:05} ".ljust(_CHARS, "x") for number in range(_TEXTS)]
            asked = {"model": EMBEDDING_MODEL, "query": texts[0], "top_k": 10, "input": texts}
            floor.append(asyncio.run(_bare(base_url, texts)) * 1000)
            product.append(opened.call("embed", asked) * 1000)
            again.append(opened.call("embed", asked | {"top_k": 9}) * 1000)
        held = opened.resident_mb()
    # The first round loads numpy.
    alone = median(floor[1:])
    yield Figure(f"{_TEXTS:,} texts embedded at {_LATENCY_MS} ms", "ms", median(product[1:]), alone, Aim(3))
    yield Figure("the same, in all", "ms", median(product[1:]), aim=Aim(3_000, of_ratio=False))
    yield Figure("the same again, from the cache", "ms", median(again[1:]), alone, Aim(1))
    yield Figure("memory after that", "MB", held)


async def _bare(base_url: str, texts: Sequence[str]) -> float:
    """Seconds to have every vector in one matrix and the best of them found."""
    start = perf_counter()
    batches = [texts[begin : begin + _BATCH] for begin in range(0, len(texts), _BATCH)]
    rows: dict[int, list[bytes]] = {}
    waiting = list(enumerate(batches))
    async with httpx2.AsyncClient(base_url=base_url, timeout=30) as client:

        async def work() -> None:
            while waiting:
                place, batch = waiting.pop()
                body = {"model": EMBEDDING_MODEL, "input": batch, "encoding_format": "base64"}
                reply = (await client.post("/embeddings", json=body)).json()
                rows[place] = [base64.b64decode(row["embedding"]) for row in reply["data"]]

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    vectors = [vector for place in sorted(rows) for vector in rows[place]]
    matrix = np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(texts), -1)
    np.argsort(matrix @ matrix[0])
    return perf_counter() - start
