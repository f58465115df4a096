"""A fusion under the operator's list of models: nobody is left for upstream to choose."""

from __future__ import annotations

from dataclasses import replace

from or_mcp.catalogue.fitness import can_be_forced
from or_mcp.catalogue.policy import VARIABLE, Policy
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.fusion.plan import DEFAULT_PANEL, SLUG, FusionChoices
from or_mcp.openrouter.errors import ModelUnavailable


def permitted(choices: FusionChoices, policy: Policy, snapshot: Snapshot) -> tuple[FusionChoices, tuple[str, ...]]:
    """The choices with every model named, and what the caller should know of it.

    With an open policy, or one that names the router of fusions, upstream chooses as ever.

    Raises:
        ModelUnavailable: Upstream would choose the panel, and none of it is known to be allowed.
    """
    if policy.allows(snapshot, SLUG):
        return choices, ()
    panel = choices.analysis_models or _of_the_default_panel(choices, policy, snapshot)
    writer = choices.writer or next((name for name in panel if can_be_forced(snapshot, name)), panel[0])
    analyst = choices.analyst_model or writer
    named = replace(choices, analysis_models=panel, analyst_model=analyst, writer_model=writer)
    if named == choices:
        return choices, ()
    chosen = f"panel {', '.join(panel)}; analyst {analyst}; writer {writer}"
    return named, (f"{VARIABLE} lets OpenRouter choose no model, so this server did: {chosen}.",)


def _of_the_default_panel(choices: FusionChoices, policy: Policy, snapshot: Snapshot) -> tuple[str, ...]:
    panel = tuple(name for name in DEFAULT_PANEL if policy.allows(snapshot, name))
    if panel and not choices.preset:
        return panel
    whose = f"preset {choices.preset!r}" if choices.preset else "no analysis_models"
    raise ModelUnavailable(
        f"With {whose} OpenRouter chooses the panel, and this server may use only some models: "
        f"{VARIABLE} is {', '.join(policy.models)}. Name analysis_models among them"
    )
