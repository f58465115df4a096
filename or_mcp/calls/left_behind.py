"""What a host is told first: the runs that it gave up and that went on."""

from __future__ import annotations

from dataclasses import replace

from or_mcp.calls.call import Call
from or_mcp.calls.reply import Reply
from or_mcp.openrouter.errors import NotFound
from or_mcp.runs.session import LeftBehind


async def after_what_was_left(reply: Reply, call: Call) -> Reply:
    """An answer, after what the host has to be told of runs it left behind; each is told once."""
    answered: str = getattr(reply.structured, "run_id", None) or ""
    told = [await _told(run, call) for run in call.waiter.session.take_left() if run.run_id != answered]
    if not told:
        return reply
    structured = reply.structured
    if (notes := getattr(structured, "notes", None)) is not None:
        structured = structured.model_copy(update={"notes": [*told, *notes]})
    return replace(reply, text="\n".join([*told, "", reply.text]), structured=structured)


async def _told(run: LeftBehind, call: Call) -> str:
    try:
        record = await call.runs.find(run.run_id)
    except NotFound:
        return f"Your {run.tool} that nobody waited for is forgotten: {run.run_id}"
    stands = "has finished" if record.finished else "is still running"
    return f"Your {run.tool} that this host stopped waiting for {stands}: call run with run_id {run.run_id!r}"
