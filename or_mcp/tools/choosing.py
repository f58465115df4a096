"""Models are checked before anything is spent: that they exist, are allowed, fit the job, and will still be there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from or_mcp.catalogue.conditions import Condition
from or_mcp.catalogue.policy import VARIABLE
from or_mcp.catalogue.slugs import ROUTER_AUTHOR, author
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.errors import Failure, ModelUnavailable
from or_mcp.openrouter.wire.errors import Availability
from or_mcp.openrouter.wire.models import Model
from or_mcp.tools.call import Call
from or_mcp.tools.explain import RunFailed

_SOON = timedelta(days=14)


async def check_models(call: Call, slugs: Sequence[str], modality: str = "text") -> Snapshot | None:
    """The catalogue, after every model was found in it; None when it cannot be had, and upstream decides.

    Raises:
        ModelUnavailable: A model does not exist, is not allowed, or makes something else. It names the closest.
    """
    snapshot = await known_models(call)
    for slug in slugs:
        if not call.parts.policy.allows(snapshot, slug):
            raise call.parts.policy.explain(slug, snapshot, modality)
        model = await call.parts.catalogue.check(slug, modality)
        if snapshot is not None and model is not None:
            _check_makes(slug, model, modality, snapshot)
            _check_alive(slug, model, modality, snapshot)
    return snapshot


def check_keeps(snapshot: Snapshot | None, slugs: Sequence[str]) -> None:
    """A picture or a sound would be paid for and lost: what `ask` keeps of an answer is its text.

    Raises:
        ModelUnavailable: A model makes one of them beside its text.
    """
    for slug in slugs:
        model = snapshot.find(slug) if snapshot else None
        made = model.architecture.output_modalities if model and model.architecture else ()
        more = [each for each in made if each != "text"]
        if snapshot is not None and model is not None and more and author(model.id) != ROUTER_AUTHOR:
            raise _unavailable(slug, f"makes {' and '.join(more)} beside text, which ask cannot keep", "text", snapshot)


async def known_models(call: Call) -> Snapshot | None:
    """The catalogue, or None when it cannot be had."""
    try:
        return await call.parts.catalogue.models()
    except Failure:
        return None


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


def retiring(snapshot: Snapshot | None, slugs: Sequence[str]) -> list[str]:
    """What to know about models that will soon be gone."""
    found = [(slug, snapshot.find(slug)) for slug in slugs] if snapshot else []
    return [
        f"{slug} retires on {model.expiration_date}."
        for slug, model in found
        if model is not None and (ends := _ends(model)) is not None and ends - _today() <= _SOON
    ]


def check_can_be_forced(snapshot: Snapshot | None, slug: str) -> None:
    """A writer that cannot be made to call a tool would answer alone, after the caller asked for a panel.

    Raises:
        ModelUnavailable: The model takes no tool_choice.
    """
    if snapshot is not None and not can_be_forced(snapshot, slug):
        raise _unavailable(slug, "cannot be made to convene a panel (it takes no tool_choice)", "text", snapshot)


def can_be_forced(snapshot: Snapshot | None, slug: str) -> bool:
    """Whether a model can be made to call a tool, as far as is known."""
    model = snapshot.find(slug) if snapshot else None
    return model is None or not model.supported_parameters or "tool_choice" in model.supported_parameters


def _check_makes(slug: str, model: Model, modality: str, snapshot: Snapshot) -> None:
    made = model.architecture.output_modalities if model.architecture else ()
    if made and modality not in made:
        raise _unavailable(slug, f"makes {', '.join(made)}, not {modality}", modality, snapshot)


def _check_alive(slug: str, model: Model, modality: str, snapshot: Snapshot) -> None:
    ends = _ends(model)
    if ends is not None and ends < _today():
        raise _unavailable(slug, f"was retired on {ends}", modality, snapshot)


def _unavailable(slug: str, why: str, modality: str, snapshot: Snapshot) -> ModelUnavailable:
    others = [name for name in snapshot.closest(slug, n=4, output_modality=modality) if name != slug]
    return ModelUnavailable(
        f"{slug} {why}",
        availability=Availability(requested_models=(slug,), fallback_models=tuple(others[:3]) or None),
    )


def _ends(model: Model) -> date | None:
    try:
        return date.fromisoformat(model.expiration_date or "")
    except ValueError:
        return None


def _today() -> date:
    return datetime.now(UTC).date()
