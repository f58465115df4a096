"""The model list at one moment, with lookups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from or_mcp.catalogue.closest import closest_names
from or_mcp.catalogue.slugs import LISTED_VARIANTS, Slug
from or_mcp.openrouter.errors import Failure
from or_mcp.openrouter.wire.models import Model


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every model there was when the list was fetched; `problem` is why there is no newer one.

    One that could not be read knows no model, and nothing of any: what is not known of it is never nothing.
    """

    models: tuple[Model, ...]
    fetched_at: datetime
    age_seconds: float = 0.0
    problem: Failure | None = None
    index: Mapping[str, Model] = field(default_factory=dict[str, Model], repr=False, compare=False)
    is_read: bool = True

    @classmethod
    def of(cls, models: Iterable[Model], fetched_at: datetime | None = None) -> Snapshot:
        """A snapshot of these models."""
        rows = tuple(models)
        index = {name.lower(): model for model in reversed(rows) if (name := _canonical(model))}
        index |= {model.id.lower(): model for model in rows}
        return cls(rows, fetched_at or datetime.now(UTC), index=index)

    @classmethod
    def unread(cls, problem: Failure) -> Snapshot:
        """The list that could not be had."""
        return cls((), datetime.now(UTC), problem=problem, is_read=False)

    def find(self, slug: str) -> Model | None:
        """The model a request with this name reaches, if it is in the list.

        Variants that only choose a route (`:nitro`, `:floor`) are their base model; those sold separately
        (`:free`, `:thinking`, `:extended`) must be listed. A preset alone names no model.
        """
        name = Slug.read(slug.lower())
        listed = self.index.get(name.model)
        if listed is not None or not name.variant or name.variant in LISTED_VARIANTS:
            return listed
        return self.index.get(name.base)

    def target(self, model: Model) -> Model:
        """The model that a moving name points to now; any other is itself."""
        if model.alias_target is None:
            return model
        return self.find(model.alias_target.slug) or model

    def concrete(self, slug: str) -> str:
        """The name of the model behind a name that may move, as far as is known."""
        model = self.find(slug)
        return slug.lower() if model is None else self.target(model).id

    def able(self, slug: str) -> frozenset[str]:
        """The parameters that a model is known to take; none when nothing is known."""
        model = self.find(slug)
        return frozenset(model.supported_parameters) if model is not None else frozenset()

    def closest(self, slug: str, n: int = 3, output_modality: str | None = None) -> tuple[str, ...]:
        """The names most like this one, best first."""
        return closest_names(self.models, slug, n, output_modality)


def _canonical(model: Model) -> str | None:
    """The name with a date. A free variant carries its base model's, which is not its own."""
    return None if ":" in model.id else model.canonical_slug
