"""What comes of a call of `embed`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from or_mcp.openrouter.errors import shorten
from or_mcp.vectors.files import Saved, save
from or_mcp.vectors.matrix import directions, rounded, stack
from or_mcp.vectors.plan import EmbedPlan, Output
from or_mcp.vectors.ranking import Ranked, rank
from or_mcp.vectors.similarity import Pair, compare
from or_mcp.vectors.texts import Text

# To know a text by; the caller has all of it.
SHOWN_CHARS = 200
# More than any answer shows; all of it would be millions for twenty thousand texts.
_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Likenesses:
    """What is like what, as far as it is kept: `texts` holds the words of every place that is named."""

    pairs: tuple[Pair, ...]
    neighbours: tuple[Pair, ...]
    groups: tuple[tuple[int, ...], ...]
    texts: Mapping[int, str]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class EmbedResult:
    """What is kept of a run."""

    output: Output
    model: str
    total: int
    done: int = 0
    cached: int = 0
    distinct: int = 0
    asked_dimensions: int | None = None
    dimensions: int | None = None
    tokens: int = 0
    provider_cost_usd: Decimal | None = None
    ranking: tuple[Ranked, ...] = ()
    texts: tuple[str, ...] = ()
    likenesses: Likenesses | None = None
    vectors: tuple[tuple[float, ...], ...] = ()
    file: Saved | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What was read off the vectors."""

    ranking: tuple[Ranked, ...] = ()
    texts: tuple[str, ...] = ()
    likenesses: Likenesses | None = None
    vectors: tuple[tuple[float, ...], ...] = ()
    file: Saved | None = None


def read_off(plan: EmbedPlan, vectors: Mapping[Text, bytes], name: str) -> Findings:
    """What the plan asks for. Takes time: call it in a thread.

    Raises:
        InvalidRequest: The disk refused a file.
    """
    rows = [vectors[row] for row in plan.rows]
    if plan.output == "ranking" and plan.question is not None:
        found = rank(rows, vectors[plan.question], plan.top_k)
        return Findings(ranking=found, texts=tuple(_short(plan, row.index) for row in found))
    if plan.output == "file" and plan.data_dir is not None:
        return Findings(file=save(plan.data_dir, name, rows, [row.words for row in plan.rows]))
    if plan.output == "vectors":
        return Findings(vectors=rounded(stack(rows)))
    likeness = compare(directions(stack(rows)), plan.top_k)
    groups = tuple(group[:_KEPT] for group in likeness.groups[:_KEPT])
    named = {place for pair in likeness.pairs for place in (pair.index, pair.other)} | {group[0] for group in groups}
    return Findings(
        likenesses=Likenesses(
            likeness.pairs,
            likeness.neighbours[:_KEPT],
            groups,
            {place: _short(plan, place) for place in sorted(named)},
            left_out=len(likeness.neighbours) - len(likeness.neighbours[:_KEPT]),
        )
    )


def _short(plan: EmbedPlan, index: int) -> str:
    return shorten(plan.rows[index].words, SHOWN_CHARS)
