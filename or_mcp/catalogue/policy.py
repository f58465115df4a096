"""Which models the operator lets agents use."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from or_mcp.catalogue.slugs import Slug
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.errors import ModelUnavailable
from or_mcp.openrouter.wire.errors import Availability

VARIABLE = "OR_MCP_MODELS"
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Policy:
    """Globs over model names. A glob with a variant (`*:free`) means that variant; any other means all variants."""

    models: tuple[str, ...] = ("*",)

    def allows(self, snapshot: Snapshot | None, slug: str) -> bool:
        """Whether this model may be used; a moving name also if what it points to now may be.

        A preset can change the model, so it has to be allowed by name (`@preset/*`) beside the model it is added to.
        """
        if "*" in self.models:
            return True
        name = Slug.read(slug.lower())
        if name.preset and not self._matches(f"@preset/{name.preset}"):
            return False
        return not name.base or self._matches(name.model) or self._allows_target(snapshot, name)

    def _allows_target(self, snapshot: Snapshot | None, name: Slug) -> bool:
        model = snapshot.find(name.model) if snapshot else None
        if snapshot is None or model is None:
            return False
        target = snapshot.target(model).id
        return self._matches(f"{target}:{name.variant}" if name.variant and ":" not in target else target)

    def _matches(self, name: str) -> bool:
        base = name.split(":", 1)[0]
        return any(fnmatchcase(name if ":" in glob else base, glob.lower()) for glob in self.models)

    def explain(self, slug: str, snapshot: Snapshot | None = None) -> ModelUnavailable:
        """The refusal of a model that is not allowed, with models that are."""
        rows = snapshot.models if snapshot else ()
        allowed = tuple(model.id for model in rows if self.allows(snapshot, model.id))
        names = snapshot.closest(slug, len(rows)) if snapshot and allowed else ()
        examples = tuple(name for name in names if name in allowed)[:_EXAMPLES]
        words = f"{slug} is not among the models this server may use: {VARIABLE} is {', '.join(self.models)}"
        return ModelUnavailable(
            words, availability=Availability(requested_models=(slug,), fallback_models=examples or None)
        )
