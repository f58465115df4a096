"""What a host is told first: the runs that it gave up and that went on."""

from __future__ import annotations

from or_mcp.calls.call import Call
from or_mcp.openrouter.errors import NotFound
from or_mcp.runs.session import LeftBehind


async def left_behind(call: Call, answered: str | None) -> list[str]:
    """What the host has to be told of runs it left behind, but for the one that is answered now; each is told once."""
    return [await _told(run, call) for run in call.waiter.session.take_left() if run.run_id != answered]


async def _told(run: LeftBehind, call: Call) -> str:
    try:
        record = await call.runs.find(run.run_id)
    except NotFound:
        return f"Your {run.tool} that nobody waited for is forgotten: {run.run_id}"
    stands = "has finished" if record.finished else "is still running"
    return f"Your {run.tool} that this host stopped waiting for {stands}: call run with run_id {run.run_id!r}"
