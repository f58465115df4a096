"""Whether a model fits a job: what it makes, what it takes, and how long it will still be there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.errors import ModelUnavailable
from or_mcp.openrouter.wire.errors import Availability
from or_mcp.openrouter.wire.models import Model

# Time to find another model, and not so long that every answer says it.
_SOON = timedelta(days=14)


def retiring(snapshot: Snapshot, slugs: Sequence[str]) -> list[str]:
    """What to know about models that will soon be gone."""
    found = [(slug, snapshot.find(slug)) for slug in slugs]
    return [
        f"{slug} retires on {model.expiration_date}."
        for slug, model in found
        if model is not None and (ends := _ends(model)) is not None and ends - _today() <= _SOON
    ]


def check_can_be_forced(snapshot: Snapshot, slug: str) -> None:
    """A writer that cannot be made to call a tool would answer alone, after the caller asked for a panel.

    Raises:
        ModelUnavailable: The model takes no tool_choice.
    """
    if not can_be_forced(snapshot, slug):
        raise _unavailable(slug, "cannot be made to convene a panel (it takes no tool_choice)", "text", snapshot)


def can_be_forced(snapshot: Snapshot, slug: str) -> bool:
    """Whether a model can be made to call a tool, as far as is known."""
    able = snapshot.able(slug)
    return not able or "tool_choice" in able


def check_makes(slug: str, model: Model, modality: str, snapshot: Snapshot) -> None:
    made = model.architecture.output_modalities if model.architecture else ()
    if made and modality not in made:
        raise _unavailable(slug, f"makes {', '.join(made)}, not {modality}", modality, snapshot)


def check_alive(slug: str, model: Model, modality: str, snapshot: Snapshot) -> None:
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
