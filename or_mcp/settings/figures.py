"""Figures as a person writes them in a setting; whatever is none is a ValueError or an ArithmeticError."""

from __future__ import annotations

from decimal import Decimal


def whole(value: str) -> int:
    """A whole number, of days at most."""
    number = int(value)
    if not 0 <= number <= 36_500:
        raise ValueError
    return number


def money(value: str) -> Decimal:
    """An amount of USD, with or without its sign."""
    amount = Decimal(value.removeprefix("$"))
    if not amount.is_finite() or not 0 <= amount <= 100_000:
        raise ValueError
    return amount


def prices(value: str) -> tuple[Decimal, Decimal] | None:
    """Two amounts, of what is read and of what is written; none where nothing is said."""
    if not value:
        return None
    prompt, completion = map(money, value.split(","))
    return prompt, completion


def seconds(value: str) -> float:
    """A time that passes."""
    time = float(value)
    if not 0 < time < 1e6:
        raise ValueError
    return time


def seconds_or_none(value: str) -> float:
    """A time, or 0 for none."""
    return 0.0 if value == "0" else seconds(value)
