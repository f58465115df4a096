"""What somebody may do in a time: a bucket that fills steadily, and may be emptied at once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import anyio

# Whoever has not come for so long that so many others did is forgotten, and begins with a full bucket.
_REMEMBERED = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


@dataclass(slots=True)
class Buckets:
    """One bucket for each of many. What is counted is counted in this process; every other counts for itself."""

    size: float
    seconds: float
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict[str, _Bucket])

    def take(self, whose: str, amount: float = 1.0) -> float:
        """Take this much, or nothing; how many seconds until there is enough, so 0 when it was taken."""
        now = anyio.current_time()
        bucket = self._buckets.setdefault(whose, _Bucket(self.size, now))
        self._buckets.move_to_end(whose)
        while len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        bucket.left = min(self.size, bucket.left + (now - bucket.at) * self.size / self.seconds)
        bucket.at = now
        missing = amount - bucket.left
        if missing > 0:
            return missing * self.seconds / self.size
        bucket.left -= amount
        return 0.0
