"""`fuse`: a panel of models, an analyst, one answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import anyio.to_thread
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from or_mcp.calls.arguments import Amount, Arguments, Question, Text
from or_mcp.calls.call import Call
from or_mcp.calls.choosing import choose, known_models
from or_mcp.calls.keepsake import Keepsake, Shown
from or_mcp.calls.paid import place
from or_mcp.calls.reply import Reply
from or_mcp.calls.tool import Tool
from or_mcp.catalogue.fitness import check_can_be_forced
from or_mcp.catalogue.slugs import read_slugs, slug_of
from or_mcp.catalogue.tokens import Weight
from or_mcp.conversation.thread import Message, Thread
from or_mcp.fusion.permitted import permitted
from or_mcp.fusion.plan import SLUG, FusionChoices, check
from or_mcp.fusion.work import Fusion, result_of
from or_mcp.runs.pieces import Context
from or_mcp.runs.record import RunRecord
from or_mcp.tools.answers.fuse import FuseAnswer, show, told_analysis
from or_mcp.view.report import SHOWN_BY_VIEW

DESCRIPTION = """
Ask a panel of models one question at once, and get one answer from all they said.

An analyst compares their answers, and the comparison comes too: consensus, contradictions, partial coverage, unique
insights, blind spots.

For decisions, research, reviews and open questions where being wrong is expensive. For a quick or simple question `ask`
costs a fraction.

Costs money: typically $0.05 to $2 and 20 s to 5 min, growing with the panel; checked against the ceilings before
anything is sent. The panel sees only `prompt`: no history, no files. Put everything needed into it.

If it takes longer than this host waits, the answer is `running` with a run_id: call `run` with it. Nothing paid for is
lost, and asking the same again joins the same run.
"""

Effort = Literal["max", "xhigh", "high", "medium", "low", "minimal", "none"]


class FuseArguments(Arguments):
    """What `fuse` takes."""

    preset: str = Field("", description="general-high, general-budget or general-fast.")
    analysis_models: tuple[str, ...] = Field(
        (), max_length=8, description="The panel, 1-8 model ids. Default: OpenRouter's current one."
    )
    analyst_model: str = Field("", description="Compares the answers.")
    writer_model: str = Field("", description="Writes the final answer.")
    reasoning_effort: Effort | SkipJsonSchema[None] = Field(None, description="Of panel and analyst.")
    max_tool_calls: Annotated[int, Field(ge=1, le=16)] | SkipJsonSchema[None] = Field(
        None, description="Web steps per panelist. Default 4."
    )
    max_completion_tokens: Annotated[int, Field(ge=16)] | SkipJsonSchema[None] = Field(
        None, description="Per panelist, reasoning included. Default 16000."
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | SkipJsonSchema[None] = None
    web: bool = Field(default=True, description="Let the panel search the web. Default true.")
    max_cost_usd: Amount | SkipJsonSchema[None] = None
    wait_seconds: Annotated[float, Field(ge=0, le=3600)] | SkipJsonSchema[None] = Field(
        None, description="Wait this long, then answer `running`; 0 starts it."
    )
    detail: Literal["brief", "standard", "full"] = Field("standard", description="full adds every panelist's text.")
    instructions: Text = Field("", description="Style or role for the answer.")
    prompt: Question = Field(min_length=1, description="The whole question, self-contained.")

    def choices(self) -> FusionChoices:
        """The same, as the fusion room takes it."""
        return FusionChoices(
            preset=self.preset.strip(),
            analysis_models=tuple(slug for names in self.analysis_models for slug in read_slugs(names)),
            analyst_model=slug_of(self.analyst_model),
            writer_model=slug_of(self.writer_model),
            reasoning_effort=self.reasoning_effort or "",
            max_tool_calls=self.max_tool_calls,
            max_completion_tokens=self.max_completion_tokens,
            temperature=self.temperature,
            web=self.web,
        )


async def fuse(arguments: FuseArguments, call: Call) -> Reply:
    """Plan, check, carry out, show."""
    call.require_key()
    choices, chosen = permitted(arguments.choices(), call.parts.policy, await known_models(call))
    check(choices)
    choice = await choose(call, choices.models)
    if choices.writer:
        check_can_be_forced(choice.snapshot, choices.writer)
    fusion = Fusion(
        prompt=arguments.prompt,
        instructions=arguments.instructions,
        choices=choices,
        weight=await anyio.to_thread.run_sync(Weight.of, arguments.prompt + arguments.instructions),
        snapshot=choice.snapshot,
        provider=call.parts.provider,
        upstream=call.upstream,
    )
    return await place(
        call,
        "fuse",
        arguments,
        fusion.offer,
        models=choices.models or (choices.preset or SLUG,),
        prompt=arguments.prompt,
        shown=Shown(detail=arguments.detail, notes=(*chosen, *choices.warnings(), *choice.notes)),
        wait_seconds=arguments.wait_seconds,
    )


def _thread(record: RunRecord, context: Context | None) -> Thread:
    """A conversation about the fusion: the question, and all that came of it."""
    del context
    result = result_of(record)
    words = "\n\n".join(
        [
            result.answer,
            *([f"What the analyst found:\n{told_analysis(result.analysis)}"] if result.analysis else []),
            *(f"{each.model} ({each.status}) wrote:\n{each.words}" for each in result.panel),
        ]
    )
    question: Message = {"role": "user", "content": record.request.prompt}
    answer: tuple[Message, ...] = ({"role": "assistant", "content": words},) if words.strip() else ()
    return replace(Thread.new(), messages=(question, *answer))


META: dict[str, Any] = {"anthropic/alwaysLoad": True, **SHOWN_BY_VIEW}

TOOL = Tool(
    name="fuse",
    title="Fuse: a panel of models, one answer",
    kind="spend",
    description=DESCRIPTION,
    arguments=FuseArguments,
    answer=FuseAnswer,
    handle=fuse,
    keepsake=Keepsake(
        read=result_of,
        show=show,
        words=lambda result: result.answer,
        panel=lambda result: result.panel,
        thread=_thread,
    ),
    meta=META,
)
