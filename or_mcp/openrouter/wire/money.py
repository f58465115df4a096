"""Money as upstream tells it: kept exactly, and believed only as far as it can be true."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

# No real call costs this much, and no unit of anything.
MOST_USD = 100_000
# Accounts may: this only keeps nonsense out.
_MOST_AMOUNT_USD = 10**12
# A float has 17 digits; more than this is no amount of money, and would fill pages when written out.
_PLACES = 30


def _amount(value: object, most: int) -> Decimal | None:
    try:
        amount = Decimal(str(value))
        places = -int(amount.as_tuple().exponent)
    except (ArithmeticError, ValueError):
        return None
    return amount if places <= _PLACES and abs(amount) < most else None


def _price(value: object) -> Decimal | None:
    return _amount(value, MOST_USD)


def _cost(value: object) -> Decimal | None:
    amount = _amount(value, MOST_USD)
    return amount if amount is not None and amount >= 0 else None


def _account(value: object) -> Decimal | None:
    return _amount(value, _MOST_AMOUNT_USD)


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


_AS_TEXT = PlainSerializer(_plain, when_used="json")

Price = Annotated[Decimal | None, BeforeValidator(_price), _AS_TEXT]
"""USD per unit, as upstream's string. -1 means it depends on the model that is chosen."""

Cost = Annotated[Decimal | None, BeforeValidator(_cost), _AS_TEXT]
"""USD that a call cost; None, which is unknown, when it is negative, endless or larger than any call can cost."""

Amount = Annotated[Decimal | None, BeforeValidator(_account), _AS_TEXT]
"""USD on an account: what may be spent, was spent or is left, which can be less than nothing."""
