"""`/batches`: many requests that upstream answers within a day, typically at half the price."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from or_mcp.openrouter.wire.errors import ErrorBody
from or_mcp.openrouter.wire.lenient import Count, Lenient, Name, Reply, Rows
from or_mcp.openrouter.wire.request import Request

CHAT = "/v1/chat/completions"


class BatchProvider(Request):
    """Which providers may carry a batch: no other rule is taken."""

    only: tuple[str, ...]


class BatchRequest(Request):
    """What is sent. The requests must come last: each has a `custom_id` and a `body`."""

    endpoint: str = CHAT
    model: str
    completion_window: str = "24h"
    provider: BatchProvider | None = None
    requests: tuple[dict[str, Any], ...]


class BatchAnswer(Reply):
    """What one request was answered with, as it would have been alone."""

    status_code: Count = None
    body: Lenient[dict[str, JsonValue]] = None


class BatchResult(Reply):
    """What became of one request."""

    custom_id: Name
    response: Lenient[BatchAnswer] = None
    error: Lenient[ErrorBody] = None


class BatchCounts(Reply):
    """How far it has come."""

    total: Count = None
    completed: Count = None
    failed: Count = None


class Batch(Reply):
    """How a batch stands; its results are there once it is over, and never in a list."""

    id: Name
    status: Name = ""
    model: Lenient[Name] = None
    created_at: Count = None
    request_counts: Lenient[BatchCounts] = None
    error: Lenient[ErrorBody] = None
    results: Rows[BatchResult] = ()


class BatchList(Reply):
    """The newest batches first."""

    data: Rows[Batch] = ()
    has_more: Lenient[bool] = None
    last_id: Lenient[Name] = None
