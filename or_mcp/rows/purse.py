"""What a run of many requests may still spend: each is set aside before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

_0 = Decimal(0)


class Purse:
    """The run's ceiling, what it has spent, and what is held for rows under way; without a ceiling all fits."""

    def __init__(self, ceiling: Decimal | None) -> None:
        self._ceiling = ceiling
        self._held: dict[int, Decimal | None] = {}
        self._spent = _0
        # What rows may have cost of which nobody could say what they did.
        self._doubtful: list[Decimal | None] = []

    @property
    def held(self) -> Mapping[int, Decimal | None]:
        """What is held for each row that is under way."""
        return self._held

    @property
    def spent(self) -> Decimal:
        """What is known to be spent by now."""
        return self._spent

    @property
    def cost(self) -> Decimal | None:
        """What was spent; None as long as anything is under way, or was lost on its way."""
        return None if self._held or self._doubtful else self._spent

    @property
    def at_most(self) -> Decimal | None:
        """What was spent at most; None where nothing bounds it."""
        bounds = [*self._held.values(), *self._doubtful]
        return None if None in bounds else self._spent + sum((bound for bound in bounds if bound is not None), _0)

    def fits(self, most: Decimal | None) -> bool:
        """Whether there is room for a row that costs so much at most."""
        if self._ceiling is None:
            return True
        used = self._spent + sum((bound or _0 for bound in (*self._held.values(), *self._doubtful)), _0)
        return used + (most or _0) <= self._ceiling and (most is not None or used < self._ceiling)

    def hold(self, n: int, most: Decimal | None) -> None:
        """Set aside what a row costs at most."""
        self._held[n] = most

    def settle(self, n: int, cost: Decimal | None) -> None:
        """A row has come back; without a cost, what was held for it stays held."""
        most = self._held.pop(n)
        if cost is None:
            self._doubtful.append(most)
        else:
            self._spent += cost
