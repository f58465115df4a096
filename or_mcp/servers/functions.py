"""Tools of servers as functions of a model: names that cannot collide, schemas flat enough for every maker."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, cast

from or_mcp.servers.session import OfferedTool

_LONGEST_NAME, _LONGEST_DESCRIPTION = 64, 1_024
# What is larger, flattened, is left to the model's guess.
_LARGEST_SCHEMA = 16_000
# Deeper than arguments of any use are nested; a schema that refers to itself ends here.
_DEEPEST, _MOST_NODES = 8, 500
_TYPES = ("string", "number", "integer", "boolean", "object", "array")
_BOUNDS = ("minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength")
# As Anthropic, the strictest, takes names of arguments.
_ARGUMENT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ANY: dict[str, Any] = {"type": "object"}


def named(tools: Iterable[OfferedTool]) -> dict[str, OfferedTool]:
    """Each tool by the name of its function, `server__tool`; of names that come out the same, all but the first get a
    sign of their own.
    """
    found: dict[str, OfferedTool] = {}
    for tool in tools:
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", f"{tool.server}__{tool.name}")
        own = sha256(f"{tool.server}\0{tool.name}".encode(errors="replace")).hexdigest()[:8]
        is_free = len(plain) <= _LONGEST_NAME and plain not in found
        found.setdefault(plain if is_free else f"{plain[: _LONGEST_NAME - 9]}_{own}", tool)
    return found


def function(name: str, tool: OfferedTool) -> dict[str, Any]:
    """A tool as the API takes functions."""
    schema = flat(tool.schema)
    if schema.get("type") != "object" or len(json.dumps(schema)) > _LARGEST_SCHEMA:
        schema = dict(_ANY)
    schema.setdefault("properties", {})
    described = {"name": name, "description": tool.description[:_LONGEST_DESCRIPTION], "parameters": schema}
    return {"type": "function", "function": described}


def flat(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without references, unions, null and whatever some maker refuses."""
    return _Flattening(schema).of(dict(schema), 0)


class _Flattening:
    """One schema being flattened; where it refers to itself many times over, the rest is left out."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MOST_NODES

    def of(self, node: Any, depth: int) -> dict[str, Any]:
        """One node of it."""
        self._left -= 1
        if not isinstance(node, dict) or depth > _DEEPEST or self._left < 0:
            return {}
        schema = self._one_of_many(self._followed(cast("dict[str, Any]", node)))
        kind, described, values = _kind(schema), schema.get("description"), _values(schema)
        plain: dict[str, Any] = {name: schema[name] for name in _BOUNDS if _is_number(schema.get(name))}
        plain |= {"type": kind} if kind else {}
        plain |= {"description": described} if isinstance(described, str) else {}
        plain |= {"enum": values} if values else {}
        if kind == "object":
            properties = _object(schema.get("properties"))
            fit = [name for name in properties if _ARGUMENT.fullmatch(name)]
            plain["properties"] = {name: self.of(properties[name], depth + 1) for name in fit}
            needed = [name for name in fit if name in _list(schema.get("required"))]
            plain |= {"required": needed} if needed else {}
        if kind == "array":
            plain["items"] = self.of(schema.get("items"), depth + 1) or {"type": "string"}
        return plain

    def _followed(self, node: dict[str, Any]) -> dict[str, Any]:
        """What a node refers to, within its own schema."""
        for _ in range(_DEEPEST):
            reference = node.get("$ref")
            if not isinstance(reference, str):
                break
            target: Any = self._root
            for part in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
                target = _object(target).get(part)
            node = _object(target) | {name: value for name, value in node.items() if name != "$ref"}
        return node

    def _one_of_many(self, node: dict[str, Any]) -> dict[str, Any]:
        """All parts of one that joins several; of one that leaves a choice all values, or the first: servers check what
        they get.
        """
        choice = [each for each in _objects(node.get("anyOf") or node.get("oneOf")) if each.get("type") != "null"]
        values = [_values(self._followed(each)) for each in choice]
        if values and all(values):
            node = {**node, "enum": [value for each in values for value in each]}
        for part in map(self._followed, (*_objects(node.get("allOf")), *choice[:1])):
            inner = {**_object(part.get("properties")), **_object(node.get("properties"))}
            node = {**part, **node, **({"properties": inner} if inner else {})}
        return node


def _kind(schema: Mapping[str, Any]) -> str | None:
    given = schema.get("type")
    known: list[str] = [each for each in _list(given) or [given] if each in _TYPES]
    return known[0] if known else "object" if "properties" in schema else None


def _values(schema: Mapping[str, Any]) -> list[Any]:
    """The only values that it takes, as far as they can be told of."""
    told = _list(schema.get("enum")) or ([schema["const"]] if "const" in schema else [])
    return [each for each in told if isinstance(each, str | bool) or _is_number(each)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _objects(value: Any) -> list[dict[str, Any]]:
    return [cast("dict[str, Any]", each) for each in _list(value) if isinstance(each, dict)]


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
