"""Which decision model answers when the caller names none."""

from __future__ import annotations

from or_mcp.catalogue.intents import gives
from or_mcp.catalogue.policy import Policy
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.wire.models import Model

MODALITY = "decisions"
# The first of its kind, and the cheapest; a moving name, so that it is the newest of them.
_USUAL = "~typesafe/jev-latest"
_USUAL_MAKER = "typesafe/"


def current_model(snapshot: Snapshot, policy: Policy, *, reads_images: bool) -> str:
    """The default: the usual one, else the newest of its maker, else the newest that may be used."""
    fitting = [
        model
        for model in filter(gives(MODALITY), snapshot.models)
        if policy.allows(snapshot, model.id) and (not reads_images or _reads_images(model))
    ]
    if not fitting:
        return _USUAL
    return max(
        fitting, key=lambda model: (model.id == _USUAL, model.id.startswith(_USUAL_MAKER), model.created or 0)
    ).id


def _reads_images(model: Model) -> bool:
    return model.architecture is not None and "image" in model.architecture.input_modalities
