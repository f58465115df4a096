"""Tasks as the protocol writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import mcp_types

EXTENSION = "io.modelcontextprotocol/tasks"
# A run moves on about once a second, and is saved as often.
POLL_MILLISECONDS = 1000

TaskStatus = Literal["working", "input_required", "completed", "failed", "cancelled"]


class TaskParams(mcp_types.RequestParams, defer_build=True):
    """Which task."""

    task_id: str


class UpdateParams(TaskParams):
    """Answers to what a task has asked."""

    input_responses: dict[str, Any]


class Task(mcp_types.Result, defer_build=True):
    """How a task stands."""

    task_id: str
    status: TaskStatus
    status_message: str | None = None
    created_at: str
    last_updated_at: str
    ttl_ms: int
    poll_interval_ms: int = POLL_MILLISECONDS


class CreatedTask(Task):
    """What a call is answered with when it has become a task."""

    result_type: Literal["task"] = "task"


class DetailedTask(Task):
    """What `tasks/get` answers: how a task stands, and what came of it."""

    result_type: Literal["complete"] = "complete"
    input_requests: mcp_types.InputRequests | None = None
    result: mcp_types.CallToolResult | mcp_types.InputRequiredResult | None = None
    error: mcp_types.ErrorData | None = None


def moment(at: datetime) -> str:
    """A time as the protocol writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
