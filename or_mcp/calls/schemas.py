"""How a tool's arguments and answers are published: flat schemas that every host accepts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from pydantic import BaseModel

# Of a name (a model, a run, a path, a URL) and of a text. A schema tells other lengths only: these stand everywhere.
NAME_LIMIT = 8_192
TEXT_LIMIT = 8_000_000

_DROPPED = frozenset({"title", "default", "propertyNames"})


@cache
def input_schema(arguments: type[BaseModel]) -> dict[str, Any]:
    """A flat object without references, unions, null or titles: some hosts drop a tool for any of them."""
    schema = _plain(arguments.model_json_schema())
    required = {"required": schema["required"]} if "required" in schema else {}
    return {"type": "object", "properties": schema["properties"], **required, "additionalProperties": False}


def _plain(schema: Any, definitions: Mapping[str, Any] | None = None) -> Any:
    if isinstance(schema, list):
        return [_plain(part, definitions) for part in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    node = cast("dict[str, Any]", schema)
    known: Mapping[str, Any] = definitions if definitions is not None else node.get("$defs", {})
    if "$ref" in node:
        target = known[node["$ref"].rpartition("/")[2]]
        return _plain({**target, **{key: value for key, value in node.items() if key != "$ref"}}, known)
    properties = node.get("properties")
    plain = {
        name: _plain(value, known)
        for name, value in node.items()
        if name not in _DROPPED
        and name not in ("$defs", "properties")
        and not (name == "maxLength" and value in (NAME_LIMIT, TEXT_LIMIT))
    }
    if isinstance(properties, dict):
        named = cast("dict[str, Any]", properties)
        plain["properties"] = {name: _plain(value, known) for name, value in named.items()}
    return plain


def plain_schema(model: type[BaseModel]) -> dict[str, Any]:
    """A model's schema with its references written out."""
    return _plain(model.model_json_schema(mode="serialization"))


def accepts(schema: Mapping[str, Any]) -> str:
    """What a property takes, in words."""
    if "enum" in schema:
        return "one of " + ", ".join(str(option) for option in schema["enum"])
    kind = schema.get("type", "a value")
    if kind == "array":
        most = f" of at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"a list{most}: {accepts(schema.get('items', {}))} each"
    bounds = _bounds(schema)
    names = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "object": "an object"}
    if kind == "string":
        return "text" + (f" of at most {schema['maxLength']} characters" if "maxLength" in schema else "")
    return names.get(kind, "a value") + bounds


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    from_low = "" if low is None else f" {'above' if 'exclusiveMinimum' in schema else 'from'} {low}"
    to_high = "" if high is None else f" {'to' if 'minimum' in schema else 'up to'} {high}"
    return from_low + to_high
