"""The grammar of model names: `~author/name:variant@preset/name`."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Listed on their own where they exist; every other variant only says how to route to the base model.
LISTED_VARIANTS = frozenset({"free", "thinking", "extended"})
ROUTER_AUTHOR = "openrouter"

_ADDRESS = re.compile(r"~?[\w-][\w.-]*/[\w-][\w.-]*(:[\w.-]+)?")


@dataclass(frozen=True, slots=True)
class Slug:
    """A model's name in its parts."""

    base: str
    variant: str = ""
    preset: str = ""

    @classmethod
    def read(cls, text: str) -> Slug:
        """The parts of a name, whatever it is."""
        model, _, preset = text.strip().partition("@preset/")
        base, _, variant = model.partition(":")
        return cls(base, variant, preset)

    @property
    def model(self) -> str:
        """The name without its preset."""
        return f"{self.base}:{self.variant}" if self.variant else self.base


def is_address(slug: str) -> bool:
    """Whether a name can stand in a path of the API."""
    return _ADDRESS.fullmatch(slug) is not None


def author(slug: str) -> str:
    """Who made it."""
    return slug.split("/", 1)[0].removeprefix("~").lower()


def slug_of(name: str) -> str:
    """A model's name as upstream spells it: without spaces around it, and in small letters but for a preset's."""
    model, mark, preset = name.strip().partition("@preset/")
    return f"{model.lower()}{mark}{preset}"


def read_slugs(names: str) -> list[str]:
    """The models in a text that agents also fill with several, divided by commas."""
    return [slug_of(name) for name in names.split(",") if name.strip()]
