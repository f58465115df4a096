"""What an ask may cost, and the output limit that keeps it under its ceiling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.prices import Estimate, estimate_completion, output_ceiling
from or_mcp.conversation.turn import Turn


@dataclass(frozen=True, slots=True)
class Price:
    """The estimate, the turn with the output limit it stands on, and whether an answer may be repaired once."""

    estimate: Estimate
    turn: Turn
    repairs: bool = False


def bound(turn: Turn, prompt_tokens: int, snapshot: Snapshot | None, per_call_usd: Decimal) -> Price:
    """What the turn may cost. Without a limit of its own, its answer is limited to what fits under the ceiling."""
    if snapshot is None:
        return Price(Estimate(None, None, ("the catalogue with its prices could not be read",)), turn)
    ceiling = turn.max_cost_usd or per_call_usd or None
    estimate = estimate_completion(
        snapshot,
        turn.model,
        prompt_tokens=prompt_tokens,
        max_output_tokens=turn.max_output_tokens,
        web=turn.web,
        fallbacks=turn.fallback_models,
    )
    if estimate.high is None:
        return Price(estimate, turn)
    repairs = turn.json_schema is not None and (ceiling is None or estimate.high * 2 <= ceiling)
    requests = 2 if repairs else 1
    estimate = replace(estimate, high=estimate.high * requests)
    if ceiling is not None and estimate.high is not None and estimate.high <= ceiling:
        turn = _limited(turn, prompt_tokens, snapshot, ceiling / requests)
    return Price(estimate, turn, repairs)


def _limited(turn: Turn, prompt_tokens: int, snapshot: Snapshot, ceiling: Decimal) -> Turn:
    if turn.max_output_tokens is not None:
        return turn
    most = output_ceiling(
        snapshot, turn.model, prompt_tokens=prompt_tokens, ceiling=ceiling, fallbacks=turn.fallback_models
    )
    model = snapshot.find(turn.model)
    longest = model.top_provider.max_completion_tokens if model and model.top_provider else None
    longest = longest or (model.context_length if model else None)
    if most is None or longest is None or most >= longest:
        return turn
    return replace(turn, max_output_tokens=most)
