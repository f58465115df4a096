"""Money and time as the store keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from or_mcp.openrouter.wire.money import MOST_USD

# Whole numbers of 10^-12 USD: exact, and small enough for one embedding.
_UNITS = Decimal(10) ** 12
# Sums of larger amounts would not fit into 64 bits.
MOST_UNITS = int(MOST_USD * _UNITS)


def units(amount: Decimal | None) -> int | None:
    """An amount as it is kept, within what can be kept."""
    if amount is None or amount.is_nan():
        return None
    return int((min(max(amount, Decimal(0)), Decimal(MOST_USD)) * _UNITS).to_integral_value())


def usd(kept: int | None) -> Decimal | None:
    """The amount that is kept."""
    return None if kept is None else Decimal(kept) / _UNITS


def dollars_of(kept: int) -> Decimal:
    """The same where there always is one."""
    return Decimal(kept) / _UNITS


def moment(stamp: float) -> datetime:
    """A time that is kept."""
    return datetime.fromtimestamp(stamp, UTC)


def day_of(stamp: float) -> str:
    """The UTC day of a time, as budgets count it."""
    return moment(stamp).date().isoformat()


def start_of_day(now: datetime | None = None) -> datetime:
    """Midnight UTC."""
    return (now or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0)


def days_ago(days: int) -> datetime:
    """This time of day, days ago."""
    return datetime.now(UTC) - timedelta(days=days)
