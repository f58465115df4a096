"""What the operator demands of every paid request, and the words for a refusal that comes of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from or_mcp.openrouter.errors import ModelUnavailable

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Demand:
    """A setting that goes with every request, and what upstream says it excluded an endpoint by."""

    setting: str
    reason: str


@contextmanager
def explaining(demands: Sequence[Demand]) -> Generator[None]:
    """When no endpoint is left, say which demands may be why, and who can change that."""
    try:
        yield
    except ModelUnavailable as failure:
        if failure.status == _NOT_FOUND and (named := _blamed(failure, demands)):
            settings = ", ".join(demand.setting for demand in named)
            failure.message += f". This server demands {settings} of every request; only its operator can change that"
        raise


def _blamed(failure: ModelUnavailable, demands: Sequence[Demand]) -> Sequence[Demand]:
    """The demands that upstream names; all of them when it gives no reason at all."""
    reasons = failure.availability.excluded_by if failure.availability else None
    return demands if not reasons else [demand for demand in demands if demand.reason in reasons]
