"""The catalogue: models looked up by anything a request may call them, and who serves them."""

import difflib
import re
from collections.abc import Iterable, Iterator

from or_mcp.simulator.catalogue.endpoints import Endpoint, endpoints_of
from or_mcp.simulator.catalogue.expanding import standard_models
from or_mcp.simulator.catalogue.models import Model, RowError
from or_mcp.simulator.catalogue.table import ROUTED

_DATED = re.compile(r"-20\d{6}$")
_DYNAMIC_VARIANTS = ("nitro", "floor", "exacto", "online")


class Catalogue:
    """Every model there is for one simulator."""

    def __init__(self, models: Iterable[Model]) -> None:
        self.models: tuple[Model, ...] = tuple(models)
        self._by_slug = {model.slug: model for model in self.models}
        # Permanent slugs, with their date and without it.
        for model in reversed(self.models):
            permanent = str(model.row["canonical_slug"])
            for name in (permanent, _DATED.sub("", permanent)):
                if ":" not in model.slug:
                    self._by_slug.setdefault(name, model)
        self._offers: dict[str, tuple[Endpoint, ...]] = {}
        for model in self.models:
            if model.alias_of is not None and model.alias_of not in self._by_slug:
                raise RowError(f"{model.slug}: it stands for {model.alias_of}, which is not in the list")

    def find(self, slug: str) -> Model | None:
        """The model a request means: by slug, canonical slug, alias or dynamic variant, preset suffix ignored."""
        if slug.startswith("@preset/"):
            slug = "openrouter/auto"
        slug = slug.split("@preset/")[0]
        base, _, variant = slug.partition(":")
        return self._by_slug.get(base if variant in _DYNAMIC_VARIANTS else slug)

    def answering(self, model: Model) -> Iterator[Model]:
        """The models that may answer in this one's place, the likeliest first: a router has several, others one."""
        if not model.is_router:
            yield self._by_slug[model.alias_of or model.slug]
            return
        usual = self._by_slug.get(ROUTED.get(model.slug, ""))
        if usual is not None:
            yield usual
        free = model.slug == "openrouter/free"
        for other in self.models:
            if (
                other.gives == frozenset({"text"})
                and not other.is_router
                and not other.alias_of
                and other.is_free == free
            ):
                yield other

    def concrete(self, model: Model) -> Model:
        """The model that answers: an alias's target, a router's choice, else itself."""
        return next(self.answering(model), model)

    def offers(self, model: Model) -> tuple[Endpoint, ...]:
        """Every endpoint of a model, the one used by default first; routers have none."""
        if model.is_router:
            return ()
        target = self.concrete(model)
        if target.slug not in self._offers:
            self._offers[target.slug] = endpoints_of(target)
        return self._offers[target.slug]

    def closest(self, slug: str, count: int = 3) -> list[str]:
        """The slugs most like this one, best first."""
        speaking = [model.slug for model in self.models]
        return difflib.get_close_matches(slug.lower(), speaking, n=count, cutoff=0.3)


CATALOGUE = Catalogue(standard_models())
