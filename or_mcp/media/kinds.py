"""The kinds of things that are made, and a current model of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from or_mcp.catalogue.intents import gives
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.errors import ModelUnavailable
from or_mcp.openrouter.wire.models import Model

Kind = Literal["image", "speech", "video", "transcript"]

MODALITY: Mapping[Kind, str] = {
    "image": "image",
    "speech": "speech",
    "video": "video",
    "transcript": "transcription",
}
"""What upstream calls what comes out."""

# Families that do a kind well and stay: the newest of the first that may be used is taken.
_FAMILIES: Mapping[Kind, tuple[str, ...]] = {
    "image": ("openai/gpt-image", "google/gemini", "black-forest-labs/"),
    "speech": ("openai/", "google/", "mistralai/"),
    "video": ("google/veo", "bytedance", "kwaivgi/", "alibaba/"),
    "transcript": ("openai/", "google/", "mistralai/"),
}


def current(kind: Kind, snapshot: Snapshot, allows: Callable[[Model], bool]) -> str:
    """A model for whoever names none.

    Raises:
        ModelUnavailable: None is known that may be used.
    """
    able = [model for model in snapshot.models if gives(MODALITY[kind])(model) and _is_plain(model) and allows(model)]
    for family in (*_FAMILIES[kind], ""):
        found = [model for model in able if model.id.startswith(family)]
        if found:
            return max(found, key=lambda model: model.created or 0).id
    raise ModelUnavailable(f"model is missing, and no model is known that makes {MODALITY[kind]} and may be used here")


def _is_plain(model: Model) -> bool:
    """Whether it is meant for everybody and stays."""
    return model.alias_target is None and ":" not in model.id and not model.expiration_date
