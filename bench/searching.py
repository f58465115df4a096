"""A search over the whole catalogue, beside reading that catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter

from bench.catalogue import models
from bench.figures import Aim, Figure
from or_mcp.catalogue.search import Query, search
from or_mcp.openrouter.wire.models import ModelList

# A name, a wish, and words with typos: the last is compared with every word there is.
_PHRASES = ("model 17", "cheap vision", "benhc modle zzzqqq")


def searching(rounds: int) -> Iterator[Figure]:
    """One search among 400 models."""
    body = json.dumps({"data": models()}).encode()
    read = ModelList.model_validate_json(body).data
    reading = median(_seconds(ModelList.model_validate_json, body) for _ in range(rounds))
    worst = max(median(_seconds(search, read, Query(text=phrase)) for _ in range(rounds)) for phrase in _PHRASES)
    yield Figure(f"search among {len(read)} models (floor: reading them)", "ms", worst * 1000, reading * 1000, Aim(2))


def _seconds(work: Callable[..., object], *given: object) -> float:
    begun = perf_counter()
    work(*given)
    return perf_counter() - begun
