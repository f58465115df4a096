"""Tools of servers as functions of a model: names that cannot collide, schemas flat enough for every maker."""

from __future__ import annotations

import json
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
_KEPT = ("type", "description", "enum", "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength")
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
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((each for each in cast("list[Any]", kind) if each != "null"), "string")
        kind = kind or ("object" if "properties" in schema else None)
        plain = {name: schema[name] for name in _KEPT if name in schema} | ({"type": kind} if kind else {})
        plain |= {"enum": [schema["const"]]} if "const" in schema else {}
        if kind == "object":
            properties = _object(schema.get("properties"))
            plain["properties"] = {name: self.of(each, depth + 1) for name, each in properties.items()}
            wanted = schema.get("required")
            needed = [name for name in cast("list[Any]", wanted) if name in properties] if _is_list(wanted) else []
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
        """All parts of one that joins several, the first of one that leaves a choice: servers check what they get."""
        choice = _objects(node.get("anyOf") or node.get("oneOf"))
        chosen = [each for each in choice if each.get("type") != "null"][:1]
        for part in map(self._followed, (*_objects(node.get("allOf")), *chosen)):
            inner = {**_object(part.get("properties")), **_object(node.get("properties"))}
            node = {**part, **node, **({"properties": inner} if inner else {})}
        return node


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _objects(value: Any) -> list[dict[str, Any]]:
    found = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", each) for each in found if isinstance(each, dict)]


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
