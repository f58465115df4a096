"""A fusion being carried out, and what is kept of it."""

from __future__ import annotations

from pydantic import TypeAdapter

from or_mcp.fusion.plan import FusionPlan
from or_mcp.fusion.result import FusionResult, read_result
from or_mcp.fusion.state import FusionState
from or_mcp.fusion.telling import Clock, steps, tell
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import UpstreamFailed
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.record import Progress, RunRecord

_RESULT: TypeAdapter[FusionResult] = TypeAdapter(FusionResult)


def result_of(record: RunRecord) -> FusionResult:
    """What a run holds."""
    result = _RESULT.validate_json(record.result) if record.result else read_result(FusionState())
    return result.over() if record.finished else result


class Fusing:
    """A fusion being carried out."""

    def __init__(self, plan: FusionPlan, upstream: OpenRouter, limited: str = "") -> None:
        self._plan = plan
        self._upstream = upstream
        self._limited = limited
        self._state = FusionState(planned=plan.panel)
        self._clock = Clock()

    def kept(self) -> Kept:
        """Everything that has arrived."""
        result = read_result(self._state, self._limited)
        return Kept(_RESULT.dump_json(result).decode(), result.cost_usd, result.generation_id, result.outcome)

    def progress(self) -> Progress:
        """Who has answered, who is writing."""
        return Progress(*steps(self._state), tell(self._state, self._clock))

    async def carry_out(self, run: LiveRun) -> None:
        """Read the stream to its end, putting every step on disk before the next is read."""
        state = self._state
        async with self._upstream.responses(self._plan.request) as stream:
            state.generation_id = stream.generation_id
            run.noted("accepted", self._plan.request.model, stream.generation_id or "")
            async for event in stream:
                milestones = state.apply(event)
                for milestone in milestones:
                    await run.told(milestone.step, milestone.model, milestone.detail)
                if not milestones:
                    run.grew()
        state.check_ended()
        result = read_result(state)
        if not result.answer and not result.answered and result.analysis is None:
            raise UpstreamFailed(
                "OpenRouter answered with nothing: no text and no panel",
                generation_id=result.generation_id,
                may_be_billed=True,
            )
