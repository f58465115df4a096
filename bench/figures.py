"""What was measured, and what was hoped for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound on the ratio product/floor, or on the product's own value."""

    bound: float
    at_least: bool = False
    of_ratio: bool = True

    def __str__(self) -> str:
        unit = "× floor" if self.of_ratio else "absolute"
        return f"{'≥' if self.at_least else '≤'} {self.bound:g} {unit}"

    def met(self, value: float) -> bool:
        """Whether a value is within the bound."""
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    unit: str
    product: float
    floor: float | None = None
    aim: Aim | None = None

    @property
    def ratio(self) -> float | None:
        """Product over floor."""
        return self.product / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None where there is none."""
        value = self.ratio if self.aim and self.aim.of_ratio else self.product
        return None if self.aim is None or value is None else self.aim.met(value)

    def as_json(self) -> dict[str, object]:
        """The same for machines."""
        return {
            "name": self.name,
            "unit": self.unit,
            "product": round(self.product, 3),
            "floor": None if self.floor is None else round(self.floor, 3),
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "aim": None if self.aim is None else str(self.aim),
            "met": self.met,
        }


Samples = dict[str, list[float]]
"""Values by program."""


def middle(name: str, unit: str, samples: Samples, aim: Aim | None = None, *, less: float = 0) -> Figure:
    """The medians, less what both have to pay."""
    return Figure(name, unit, median(samples["product"]) - less, median(samples["floor"]) - less, aim)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
