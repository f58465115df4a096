"""Waiting for a run, and putting to the host's user what the run asks meanwhile."""

from __future__ import annotations

import math

import anyio

from or_mcp.calls.call import Call
from or_mcp.calls.telling import Narrator
from or_mcp.runs.record import RunRecord
from or_mcp.runs.session import Waiter


async def attend(
    call: Call, run_id: str, seconds: float, waiter: Waiter | None = None, *, is_its_own: bool = False
) -> RunRecord:
    """The run when it has finished, or as it stands after so many seconds.

    Raises:
        NeedsHost: It has a question, and the host asks and calls again.
    """
    tell = Narrator(call.tell).tell if call.tell is not None else None
    runner = call.parts.runner
    until = anyio.current_time() + seconds
    while True:
        left = seconds if math.isinf(seconds) else max(until - anyio.current_time(), 0.0)
        asks = call.ask is not None
        ended = await runner.waits.until_finished(run_id, left, tell, waiter, is_its_own=is_its_own, asks=asks)
        record = ended or await call.runs.find(run_id)
        question = runner.desk.question(run_id) if asks and not record.finished else None
        if call.ask is None or question is None:
            return record
        question.answer(await call.ask(question.text, question.choices))
