"""Which models the operator lets agents use."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from or_mcp.catalogue.closest import closest_names
from or_mcp.catalogue.intents import by_intelligence, gives
from or_mcp.catalogue.slugs import ROUTER_AUTHOR, Slug, author
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.errors import ModelUnavailable
from or_mcp.openrouter.wire.errors import Availability

VARIABLE = "OR_MCP_MODELS"
# Of the models that are allowed: enough to choose from in one sentence.
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Policy:
    """Globs over model names. A glob with a variant (`*:free`) means that variant; any other means all variants.

    A router picks the model itself, so it needs a glob that names it (`openrouter/auto`, `openrouter/*`).
    """

    models: tuple[str, ...] = ("*",)

    @property
    def is_open(self) -> bool:
        """Whether every model may be used."""
        return "*" in self.models

    def allows(self, snapshot: Snapshot, slug: str) -> bool:
        """Whether this model may be used; a moving name also if what it points to now may be.

        A preset can change the model, so it has to be allowed by name (`@preset/*`) beside the model it is added to.
        """
        if self.is_open:
            return True
        name = Slug.read(slug.lower())
        if name.preset and not self._matches(f"@preset/{name.preset}"):
            return False
        return not name.base or self._matches(name.model) or self._allows_target(snapshot, name)

    def _allows_target(self, snapshot: Snapshot, name: Slug) -> bool:
        model = snapshot.find(name.model)
        if model is None:
            return False
        target = snapshot.target(model).id
        return self._matches(f"{target}:{name.variant}" if name.variant and ":" not in target else target)

    def _matches(self, name: str) -> bool:
        base = name.split(":", 1)[0]
        globs = [glob.lower() for glob in self.models]
        if is_router(base):
            globs = [glob for glob in globs if is_router(glob)]
        return any(fnmatchcase(name if ":" in glob else base, glob) for glob in globs)

    def explain(self, slug: str, snapshot: Snapshot, output_modality: str | None = None) -> ModelUnavailable:
        """The refusal of a model that is not allowed, with models that are."""
        which = ", ".join(self.models)
        words = f"{slug} is not among the models this server may use: {VARIABLE} is {which}"
        if is_router(slug.lower()):
            words = f"{slug} picks the model itself, and this server may use only some: {VARIABLE} is {which}"
        names = self._instead(slug, snapshot, output_modality)
        return ModelUnavailable(
            words, availability=Availability(requested_models=(slug,), fallback_models=names or None)
        )

    def _instead(self, slug: str, snapshot: Snapshot, output_modality: str | None) -> tuple[str, ...]:
        """Models that are allowed: the most like this one, or the best in place of a router."""
        allowed = [model for model in snapshot.models if self.allows(snapshot, model.id)]
        if is_router(slug.lower()):
            fitting = filter(gives(output_modality or "text"), allowed)
            return tuple(model.id for model in sorted(fitting, key=by_intelligence)[:_EXAMPLES])
        return closest_names(allowed, slug, _EXAMPLES, output_modality)


def is_router(slug: str) -> bool:
    """Whether this name stands for whichever model upstream picks."""
    return author(slug) == ROUTER_AUTHOR
