"""A fusion as it is sent, while it is carried out, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.tokens import Weight
from or_mcp.fusion.plan import SLUG, FusionCaps, FusionChoices
from or_mcp.fusion.price import FusionPrice, bound
from or_mcp.fusion.result import FusionResult, read_result
from or_mcp.fusion.state import FusionState
from or_mcp.fusion.telling import Clock, steps, tell
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import UpstreamFailed
from or_mcp.openrouter.wire.responses import FusionParameters, FusionPlugin, FusionTool, ResponsesRequest
from or_mcp.openrouter.wire.routing import Provider, Reasoning, StopWhen
from or_mcp.runs.budget import Room
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.record import Progress, RunRecord

_OPENING = "Use Fusion."
_RESULT: TypeAdapter[FusionResult] = TypeAdapter(FusionResult)


def result_of(record: RunRecord) -> FusionResult:
    """What a run holds."""
    result = _RESULT.validate_json(record.result) if record.result else read_result(FusionState())
    return result.over() if record.finished else result


@dataclass(frozen=True, slots=True)
class Fusion:
    """What a panel is to be asked, until it is known what room there is for it."""

    prompt: str
    instructions: str
    choices: FusionChoices
    weight: Weight
    snapshot: Snapshot
    provider: Provider | None
    upstream: OpenRouter

    def offer(self, room: Room) -> Fusing:
        """The fusion with the limits that there is room for."""
        price = bound(self.choices, self.weight, self.snapshot, room)
        request = request_for(self.prompt, self.instructions, self.choices, price.caps, self.provider)
        return Fusing(request, self.choices.analysis_models, price, self.upstream)


class Fusing:
    """A fusion being carried out."""

    def __init__(
        self, request: ResponsesRequest, panel: tuple[str, ...], price: FusionPrice, upstream: OpenRouter
    ) -> None:
        self.estimate = price.estimate
        self.limited = price.limited
        self._request = request
        self._upstream = upstream
        self._state = FusionState(planned=panel)
        self._clock = Clock()

    def kept(self) -> Kept:
        """Everything that has arrived."""
        result = read_result(self._state, self.limited)
        return Kept(_RESULT.dump_json(result).decode(), result.cost_usd, result.generation_id, result.outcome)

    def progress(self) -> Progress:
        """Who has answered, who is writing."""
        return Progress(*steps(self._state), tell(self._state, self._clock))

    async def carry_out(self, run: LiveRun) -> None:
        """Read the stream to its end, putting every step on disk before the next is read."""
        state = self._state
        async with self._upstream.responses(self._request) as stream:
            state.generation_id = stream.generation_id
            run.noted("accepted", self._request.model, stream.generation_id or "")
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


def request_for(
    prompt: str, instructions: str, choices: FusionChoices, caps: FusionCaps, provider: Provider | None
) -> ResponsesRequest:
    """The panel is forced, and capped to one invocation: left to itself a model may answer alone, or ask twice."""
    # These conditions replace max_tool_calls, so the cap is among them.
    stop = (StopWhen(type="step_count_is", step_count=1),)
    if caps.stop_usd is not None:
        stop += (StopWhen(type="max_cost", max_cost_in_dollars=float(caps.stop_usd)),)
    return ResponsesRequest(
        model=SLUG if choices.preset else choices.writer or SLUG,
        input=prompt,
        instructions=" ".join(part for part in (_OPENING, instructions) if part),
        tools=None if choices.preset else (_tool(choices, caps),),
        plugins=(_plugin(choices, caps),) if choices.preset else None,
        tool_choice="required",
        stop_server_tools_when=stop,
        max_output_tokens=caps.answer_tokens,
        provider=provider,
    )


def _plugin(choices: FusionChoices, caps: FusionCaps) -> FusionPlugin:
    return FusionPlugin(
        preset=choices.preset,
        analysis_models=choices.analysis_models or None,
        model=choices.writer or None,
        max_tool_calls=caps.steps,
        tools=caps.web(choices).tools(),
    )


def _tool(choices: FusionChoices, caps: FusionCaps) -> FusionTool:
    parameters = FusionParameters(
        analysis_models=choices.analysis_models or None,
        model=choices.analyst_model or None,
        max_tool_calls=caps.steps,
        max_completion_tokens=caps.completion_tokens,
        reasoning=Reasoning(effort=choices.reasoning_effort) if choices.reasoning_effort else None,
        temperature=choices.temperature,
        # Left out, panelists would get upstream's search and fetch; an empty list means no tools at all.
        tools=caps.web(choices).tools(),
    )
    return FusionTool(parameters=parameters)
