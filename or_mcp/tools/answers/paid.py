"""What every paid answer tells of its price."""

from __future__ import annotations

from decimal import Decimal

from or_mcp.calls.reply import Answer, Maybe
from or_mcp.runs.record import RunRecord


class EstimateRange(Answer):
    """What the call was estimated to cost, and what it could cost as it was sent; a null `most` is not bounded."""

    low: Maybe[float] = None
    high: Maybe[float] = None
    most: float | None


def estimate_range(record: RunRecord) -> EstimateRange:
    """The estimate that a run was admitted with."""
    return EstimateRange(
        low=_rounded(record.request.low_usd),
        high=_rounded(record.request.high_usd),
        most=_rounded(record.request.most_usd),
    )


def _rounded(amount: Decimal | None) -> float | None:
    return None if amount is None else float(round(amount, 6))
