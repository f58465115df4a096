"""What a fusion can cost, and the limits that it is sent with so that this is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from or_mcp.catalogue.prices import Estimate, FusionShape, estimate_fusion
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.tokens import Weight
from or_mcp.fusion.plan import DEFAULT_PANEL, FusionCaps, FusionChoices
from or_mcp.runs.budget import Room

# A panelist that is allowed less than this often ends in its own reasoning.
LEAST_TOKENS = 4_000
# Limits are lowered in steps that a person can read.
_TOKEN_STEP = 500
_ARITHMETIC = (
    "At most: upstream's own arithmetic (panel, analyst and writer take all steps and tokens they are sent as limit); "
    "nothing stops a panel in flight."
)


@dataclass(frozen=True, slots=True)
class FusionPrice:
    """The estimate, the limits it stands on, and by what it is limited that the caller did not limit."""

    estimate: Estimate
    caps: FusionCaps
    limited: str = ""


def bound(choices: FusionChoices, question: Weight, snapshot: Snapshot, room: Room) -> FusionPrice:
    """What a fusion costs at most. Limits that the caller did not name are lowered to what fits: web steps first."""
    chosen = replace(FusionCaps.chosen(choices), stop_usd=room.usd)
    if choices.preset and not choices.analysis_models:
        return FusionPrice(Estimate.of_nobody(f"preset {choices.preset}: upstream decides its panel"), chosen)
    asking = _Asking(choices, question, snapshot)
    first = asking.estimate(chosen)
    if first.most is None or room.usd is None or first.most <= room.usd:
        return FusionPrice(first, chosen)
    caps = next(caps for caps in asking.lowered(chosen) if asking.fits(caps, room) or caps == asking.least(chosen))
    return FusionPrice(asking.estimate(caps), caps, _limited(chosen, caps, choices, room))


@dataclass(frozen=True, slots=True)
class _Asking:
    choices: FusionChoices
    question: Weight
    snapshot: Snapshot

    def estimate(self, caps: FusionCaps) -> Estimate:
        """The cost with these limits."""
        found = estimate_fusion(self.snapshot, self._shape(caps))
        return replace(found, notes=(_ARITHMETIC,)) if found.most is not None else found

    def fits(self, caps: FusionCaps, room: Room) -> bool:
        """Whether there is room for it."""
        most = self.estimate(caps).most
        return most is not None and room.usd is not None and most <= room.usd

    def lowered(self, chosen: FusionCaps) -> Iterator[FusionCaps]:
        """Lower and lower limits, down to the least."""
        least = self.least(chosen)
        for steps in range(chosen.steps - 1, least.steps - 1, -1):
            yield replace(chosen, steps=steps)
        for tokens in range(chosen.completion_tokens - _TOKEN_STEP, least.completion_tokens, -_TOKEN_STEP):
            yield replace(least, completion_tokens=tokens, answer_tokens=min(chosen.answer_tokens, tokens))
        yield least

    def least(self, chosen: FusionCaps) -> FusionCaps:
        """The least that is of use, where the caller has not chosen."""
        steps = chosen.steps if self.choices.max_tool_calls or not self.choices.web else 1
        if self.choices.preset:
            return replace(chosen, steps=steps)
        named = self.choices.max_completion_tokens
        tokens = named or min(LEAST_TOKENS, chosen.completion_tokens)
        return replace(chosen, steps=steps, completion_tokens=tokens, answer_tokens=LEAST_TOKENS)

    def _shape(self, caps: FusionCaps) -> FusionShape:
        chosen = self.choices
        writer = chosen.writer or DEFAULT_PANEL[0]
        return FusionShape(
            panel=chosen.analysis_models or DEFAULT_PANEL,
            analyst=chosen.analyst_model or writer,
            writer=writer,
            web=caps.web(chosen),
            completion_tokens=caps.completion_tokens,
            answer_tokens=caps.answer_tokens,
            question_tokens=self.question.tokens,
            question_at_most=self.question.at_most,
        )


def _limited(chosen: FusionCaps, caps: FusionCaps, choices: FusionChoices, room: Room) -> str:
    steps = (
        f"{caps.steps} web step{'' if caps.steps == 1 else 's'}" if caps.steps < chosen.steps and choices.web else ""
    )
    tokens = (
        f"{caps.completion_tokens:,} tokens a panelist" if caps.completion_tokens < chosen.completion_tokens else ""
    )
    answer = f"{caps.answer_tokens:,} tokens for the answer" if caps.answer_tokens < chosen.answer_tokens else ""
    limits = ", ".join(part for part in (steps, tokens, answer) if part)
    return f"limited to {limits} by {room.by}" if limits else ""
