"""Models are checked before anything is spent: that they exist, are allowed, fit the job, and will still be there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from or_mcp.calls.call import Call
from or_mcp.calls.explain import RunFailed
from or_mcp.catalogue.conditions import Condition
from or_mcp.catalogue.fitness import check_alive, check_makes, retiring
from or_mcp.catalogue.policy import VARIABLE
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.errors import Failure


@dataclass(frozen=True, slots=True)
class Choice:
    """The catalogue that the models of a call were found in, and what to know about them."""

    snapshot: Snapshot
    notes: tuple[str, ...]


async def choose(call: Call, slugs: Sequence[str], modality: str = "text") -> Choice:
    """Find every model; where the catalogue cannot be had, upstream decides.

    Raises:
        ModelUnavailable: A model does not exist, is not allowed, or makes something else. It names the closest.
    """
    snapshot = await known_models(call)
    for slug in slugs:
        if not call.parts.policy.allows(snapshot, slug):
            raise call.parts.policy.explain(slug, snapshot, modality)
        model = await call.parts.catalogue.check(slug, modality)
        if model is not None and snapshot.is_read:
            check_makes(slug, model, modality, snapshot)
            check_alive(slug, model, modality, snapshot)
    return Choice(snapshot, tuple(retiring(snapshot, slugs)))


async def known_models(call: Call) -> Snapshot:
    """The catalogue, or one that knows nothing when it cannot be had."""
    try:
        return await call.parts.catalogue.models()
    except Failure as failure:
        return Snapshot.unread(failure)


def operators_rules(call: Call, snapshot: Snapshot) -> tuple[Condition, ...]:
    """The operator's list of models as a condition of a search, if there is one."""
    policy = call.parts.policy
    if policy.is_open:
        return ()
    words = f"the operator's rule {VARIABLE}={','.join(policy.models)}"
    return (Condition(words, lambda model: policy.allows(snapshot, model.id), is_rule=True),)


async def suggest_only_allowed(failure: Failure, call: Call) -> None:
    """Upstream knows nothing of the operator's list: what it may suggest is cut down to that."""
    cause = failure.cause if isinstance(failure, RunFailed) else failure
    found, policy = cause.availability, call.parts.policy
    if found is None or not found.fallback_models or policy.is_open:
        return
    snapshot = await known_models(call)
    names = tuple(name for name in found.fallback_models if policy.allows(snapshot, name))
    cause.availability = found.model_copy(update={"fallback_models": names or None})
