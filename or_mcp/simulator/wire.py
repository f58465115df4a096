"""JSON as upstream spells it, and how it is written."""

import json
from decimal import Decimal
from typing import Any, TypeAlias, cast

JsonObject: TypeAlias = dict[str, Any]
JsonList: TypeAlias = list[Any]

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_MICRODOLLAR_DIGITS = 12


def compact(value: object) -> str:
    """JSON without spaces, the way upstream writes it."""
    return _encoder.encode(value)


def dollars(amount: Decimal) -> float:
    """An amount of money as the JSON number upstream sends."""
    return float(round(amount, _MICRODOLLAR_DIGITS))


def objects(value: object) -> list[JsonObject]:
    """The JSON objects in a list that may hold anything."""
    return [item for item in as_list(value) if isinstance(item, dict)]


def as_list(value: object) -> JsonList:
    """The value if it is a JSON array, else an empty one."""
    return cast(JsonList, value) if isinstance(value, list) else []


def as_object(value: object) -> JsonObject:
    """The value if it is a JSON object, else an empty one."""
    return cast(JsonObject, value) if isinstance(value, dict) else {}
