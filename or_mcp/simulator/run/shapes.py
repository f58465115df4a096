"""How large a picture or a film is to be: a tier and a ratio, or pixels by pixels."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.wire import JsonObject

# The side of a square of each tier.
TIERS = {"512": 512, "1K": 1_024, "2K": 2_048, "4K": 4_096}
_RATIOS = "auto 1:1 16:9 9:16 4:3 3:4 3:2 2:3 4:5 5:4 1:2 2:1 1:4 4:1 1:8 8:1 9:21 21:9"
RATIOS = tuple(_RATIOS.split())
_PIXELS = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")
# Two ratios are the same when no pixel tells them apart.
_CLOSE = 0.02


@dataclass(frozen=True, slots=True)
class Shape:
    """So many pixels by so many."""

    width: int
    height: int

    @property
    def megapixels(self) -> Decimal:
        """Its pixels, in millions."""
        return Decimal(self.width * self.height) / 1_000_000

    @property
    def tier(self) -> str:
        """The smallest tier that is as large, else the largest."""
        area = self.width * self.height
        return next((name for name, side in TIERS.items() if side * side >= area), "4K")

    @property
    def lines(self) -> str:
        """As films are called."""
        return f"{min(self.width, self.height)}p"

    def within(self, side: int) -> "Shape":
        """The same, made smaller until no side is longer than this."""
        scale = min(side / max(self.width, self.height), 1)
        return Shape(max(round(self.width * scale), 1), max(round(self.height * scale), 1))


def pixels(size: object) -> Shape | None:
    """A size that is spelled WIDTHxHEIGHT; None for anything else."""
    found = _PIXELS.fullmatch(str(size))
    return Shape(int(found[1]), int(found[2])) if found else None


def read_shape(body: JsonObject) -> Shape | None:
    """The shape that `size`, `resolution` and `aspect_ratio` ask for, None if nothing does; refuses what disagrees."""
    size, tier, ratio = (body.get(name) for name in ("size", "resolution", "aspect_ratio"))
    exact = pixels(size)
    if size is not None and exact is None:
        _check(size, "size", (*TIERS, "WIDTHxHEIGHT"))
    _check(tier, "resolution", tuple(TIERS))
    _check(ratio, "aspect_ratio", RATIOS)
    wide = _wideness(ratio)
    if exact is not None:
        if tier not in (None, exact.tier) or (wide and abs(exact.width / exact.height / wide - 1) > _CLOSE):
            raise invalid('"resolution" and "aspect_ratio" must agree with the pixels of "size"', field="size")
        return exact
    if size is None and tier is None and wide is None:
        return None
    side, root = TIERS[str(size or tier or "1K")], math.sqrt(wide or 1)
    return Shape(round(side * root), round(side / root))


def _check(given: object, name: str, accepted: tuple[str, ...]) -> None:
    if given is not None and given not in accepted:
        raise invalid(f'Invalid option: expected one of {"|".join(accepted)} at "{name}"', field=name)


def _wideness(ratio: object) -> float | None:
    if ratio in (None, "auto"):
        return None
    width, height = str(ratio).split(":")
    return int(width) / int(height)
