"""Which texts are like which: the closest pairs, everybody's nearest neighbour, and groups of near-duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from or_mcp.vectors.ranking import DIGITS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from or_mcp.vectors.matrix import Matrix

# Rewordings of one sentence come to more in most models, different sentences of one subject to less.
NEAR_DUPLICATE = 0.95
# Every text is compared with every other: beyond this it would take minutes.
MOST_TEXTS = 20_000
# With the most texts there may be, forty megabytes of cosines at a time.
_ROWS_AT_ONCE = 512
# A text's product with itself is 1 only up to float32: two equal ones must not miss a round limit for that.
_TOLERANCE = 1e-6
# Less than any cosine.
_NO_COSINE = -1.5


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts by their places in the input, and the cosine of their vectors."""

    index: int
    other: int
    score: float


@dataclass(frozen=True, slots=True)
class Likeness:
    """What was found; `groups` are chains of near-duplicates, each text at least once like another of its group."""

    pairs: tuple[Pair, ...]
    neighbours: tuple[Pair, ...]
    groups: tuple[tuple[int, ...], ...]


def compare(texts: Matrix, top_k: int, near: float = NEAR_DUPLICATE) -> Likeness:
    """Compare every text with every other. The matrix holds directions, at least two."""
    import numpy as np

    count = len(texts)
    best = _Best(top_k)
    group = np.arange(count)
    neighbours: list[Pair] = []
    for begin in range(0, count, _ROWS_AT_ONCE):
        cosines = np.clip(texts[begin : begin + _ROWS_AT_ONCE] @ texts.T, -1, 1)
        rows = np.arange(len(cosines))
        cosines[rows, rows + begin] = _NO_COSINE - 1
        nearest = cosines.argmax(axis=1)
        neighbours += [
            Pair(begin + row, int(nearest[row]), _score(cosines[row, nearest[row]])) for row in rows.tolist()
        ]
        _join(group, cosines, begin, near - _TOLERANCE)
        # Each pair once: what is left of the diagonal was seen from the other side.
        cosines[np.arange(count)[None, :] < rows[:, None] + begin] = _NO_COSINE - 1
        best.offer(cosines, begin)
    return Likeness(best.pairs(), tuple(neighbours), _groups(group))


class _Best:
    """The best pairs so far, of equals the first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: list[tuple[float, int, int]] = []

    def offer(self, cosines: Matrix, begin: int) -> None:
        """Take in a block of rows that starts at `begin`."""
        import numpy as np

        flat = cosines.ravel()
        floor = -self._rows[-1][0] if len(self._rows) == self._most else _NO_COSINE
        places = np.flatnonzero(flat >= floor)
        if len(places) > self._most:
            values = flat[places]
            floor = np.partition(values, -self._most)[-self._most]
            places = np.concatenate([places[values > floor], places[values == floor][: self._most]])
        width = cosines.shape[1]
        found = [(-float(flat[place]), begin + place // width, place % width) for place in places.tolist()]
        self._rows = sorted(self._rows + found)[: self._most]

    def pairs(self) -> tuple[Pair, ...]:
        """Best first."""
        return tuple(Pair(index, other, _score(-negative)) for negative, index, other in self._rows)


def _join(group: NDArray[np.intp], cosines: Matrix, begin: int, near: float) -> None:
    """Give everybody in reach of each other the same, lowest number."""
    import numpy as np

    alike = cosines >= near
    for row in np.flatnonzero(alike.any(axis=1)).tolist():
        meant = np.append(group[alike[row]], group[begin + row])
        lowest = meant.min()
        if (meant != lowest).any():
            group[np.isin(group, meant)] = lowest


def _groups(group: NDArray[np.intp]) -> tuple[tuple[int, ...], ...]:
    members: dict[int, list[int]] = {}
    for index, number in enumerate(group.tolist()):
        members.setdefault(number, []).append(index)
    return tuple(tuple(each) for each in members.values() if len(each) > 1)


def _score(cosine: float) -> float:
    return round(float(cosine), DIGITS)
