"""A run of the store as a task, whichever process carries it, or carried it."""

from __future__ import annotations

import json
from datetime import datetime

import mcp_types

from or_mcp.calls.call import Call
from or_mcp.calls.explain import RunFailed, explain, failure_of
from or_mcp.calls.keepsake import Shown
from or_mcp.calls.paid import cost_line
from or_mcp.calls.reply import to_result
from or_mcp.calls.telling import MESSAGE_LIMIT
from or_mcp.host.questions import question_request
from or_mcp.runs.record import RunRecord, Status
from or_mcp.tasks.wire import DetailedTask, TaskStatus, moment

# A run that failed has an answer for the host: the tool's, which says so.
STATUS: dict[Status, TaskStatus] = {
    "running": "working",
    "completed": "completed",
    "failed": "completed",
    "cancelled": "cancelled",
    "interrupted": "failed",
}


async def kept_task(record: RunRecord, call: Call, result: mcp_types.CallToolResult | None = None) -> DetailedTask:
    """A run as it stands; `result` is what its call answered, where this process still has it."""
    runner = call.parts.runner
    status = STATUS[record.status]
    question = None if record.finished else await runner.desk.question_now(record.run_id)
    message, updated = await _told(record, call)
    if status == "completed" and not record.delivered:
        runner.admission.received(record.run_id)
    return DetailedTask(
        task_id=record.run_id,
        status="input_required" if question is not None else status,
        status_message=message[:MESSAGE_LIMIT] or None,
        created_at=moment(record.started),
        last_updated_at=moment(updated),
        ttl_ms=int(runner.kept_seconds * 1000),
        input_requests={question.name: question_request(question.text, question.choices)} if question else None,
        result=(result or await _result(record, call)) if status == "completed" else None,
        error=_error(record) if status == "failed" else None,
    )


async def _told(record: RunRecord, call: Call) -> tuple[str, datetime]:
    """What is to be said of it, and when that changed."""
    if record.finished:
        return "" if record.failure is None else failure_of(record).message, record.ended or record.started
    events = await call.runs.events(record)
    told = record.progress.message if record.progress else ""
    return told, events[-1].at if events else record.started


async def _result(record: RunRecord, call: Call) -> mcp_types.CallToolResult:
    """The tool's own answer, read back from the store."""
    if record.status == "failed":
        return explain(RunFailed(record), afar=call.caller.afar)
    standing = await call.runs.standing()
    detail = json.loads(record.request.arguments).get("detail", "standard")
    keepsake = call.parts.keepsakes[record.request.tool]
    result = keepsake.read(record)
    shown = Shown(detail=detail, cost_line=cost_line(record, keepsake, result, standing))
    return to_result(keepsake.show(record, result, shown), is_structured=call.is_structured)


def _error(record: RunRecord) -> mcp_types.ErrorData:
    message = (
        "The process that carried this call ended before it was finished. What had arrived is kept: "
        f"call run with run_id {record.run_id!r} to read it."
    )
    return mcp_types.ErrorData(code=mcp_types.INTERNAL_ERROR, message=message)
