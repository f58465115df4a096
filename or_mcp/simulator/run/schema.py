"""JSON that fits a JSON Schema, made up deterministically."""

import json
import math
import random
from collections.abc import Callable
from typing import Any

from or_mcp.simulator.run.texts import MARK
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.wire import JsonObject, as_list, as_object, objects

_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "simulated@example.org",
    "uri": "https://example.org/simulated",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEPTH = 8
# A schema told in words stands near the beginning.
_SEARCHED_CHARS = 20_000


class Example:
    """Makes values for one schema document."""

    def __init__(self, schema: JsonObject, dice: random.Random, about: str) -> None:
        self._root = schema
        self._dice = dice
        self._about = about

    def value(self) -> Any:
        """A value the whole schema accepts; refuses a schema that is none."""
        try:
            return self._value(self._root, _DEPTH)
        except (TypeError, ValueError, RecursionError) as error:
            raise invalid(f"Invalid schema: {error}") from None

    def _value(self, schema: JsonObject, depth: int) -> Any:
        schema = self._resolved(schema)
        if "const" in schema or schema.get("enum"):
            return schema["const"] if "const" in schema else self._dice.choice(schema["enum"])
        for union in ("anyOf", "oneOf"):
            if options := objects(schema.get(union)):
                rest = {name: value for name, value in schema.items() if name != union}
                return self._value(rest | self._resolved(options[0]), depth)
        kinds = schema.get("type") or ("object" if "properties" in schema else "string")
        kind = str(next(iter(as_list(kinds)), kinds))
        makers: dict[str, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: self._array(schema, depth),
            "integer": lambda: self._number(schema, whole=True),
            "number": lambda: self._number(schema, whole=False),
            "boolean": lambda: self._dice.random() < 0.5,
            "null": lambda: None,
        }
        return makers[kind]() if kind in makers else self._string(schema)

    def _resolved(self, schema: JsonObject) -> JsonObject:
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            target: Any = self._root
            for step in reference.removeprefix("#").strip("/").split("/"):
                target = as_object(target).get(step) if step else target
            return self._resolved(as_object(target))
        for part in map(self._resolved, objects(schema.get("allOf"))):
            merged = as_object(schema.get("properties")) | as_object(part.get("properties"))
            required = [*as_list(schema.get("required")), *as_list(part.get("required"))]
            schema = schema | part | {"properties": merged, "required": required}
        return schema

    def _object(self, schema: JsonObject, depth: int) -> JsonObject:
        required: list[str] = schema.get("required") or []
        made: JsonObject = {}
        for name, part in as_object(schema.get("properties")).items():
            if name in required or depth > _DEPTH - 3:
                made[name] = self._value(as_object(part), depth - 1)
        return made | {name: MARK + name for name in required if name not in made}

    def _array(self, schema: JsonObject, depth: int) -> list[Any]:
        low = int(schema.get("minItems", 0))
        count = max(low, min(int(schema.get("maxItems", 2)), 2) if depth > 0 else low)
        return [self._value(as_object(schema.get("items")), depth - 1) for _ in range(count)]

    def _number(self, schema: JsonObject, *, whole: bool) -> float:
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0 if schema.get("maximum", 1) >= 0 else -100))
        high = schema.get("maximum", schema.get("exclusiveMaximum", low + 100))
        step = schema.get("multipleOf")
        if step:
            return step * (-(-low // step) + (1 if "exclusiveMinimum" in schema else 0))
        if whole:
            least = math.ceil(low) + ("exclusiveMinimum" in schema)
            most = math.floor(high) - ("exclusiveMaximum" in schema)
            return self._dice.randint(least, max(least, most))
        return round(low + (high - low) * self._dice.uniform(0.25, 0.75), 4)

    def _string(self, schema: JsonObject) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = MARK + self._about
        shortest, longest = int(schema.get("minLength", 0)), schema.get("maxLength")
        text = text.ljust(shortest, ".")
        return text if longest is None else text[: int(longest)]


def schema_in(text: str) -> JsonObject | None:
    """The JSON Schema of an object that a text shows, as callers do who ask for JSON in words; None without one."""
    text = text[:_SEARCHED_CHARS]
    at = text.find("{")
    while at >= 0:
        try:
            found, _ = json.JSONDecoder().raw_decode(text, at)
        except ValueError:
            found = None
        if as_object(as_object(found).get("properties")):
            return as_object(found)
        at = text.find("{", at + 1)
    return None
