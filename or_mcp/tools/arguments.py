"""How a tool's arguments are published and read: flat schemas every host accepts, and errors that help."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from or_mcp.openrouter.errors import InvalidRequest, shorten

ArgumentsT = TypeVar("ArgumentsT", bound="Arguments")
_DROPPED = frozenset({"title", "default"})


class Arguments(BaseModel):
    """The arguments of one tool. Empty means not given; numbers and lists sent as strings are read."""

    model_config = ConfigDict(extra="forbid", frozen=True, regex_engine="python-re")

    @model_validator(mode="before")
    @classmethod
    def _as_meant(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        arguments = cast("dict[str, Any]", given)
        read = {name: _read(cls.model_fields.get(name), value) for name, value in arguments.items()}
        return {name: value for name, value in read.items() if not _is_empty(cls.model_fields.get(name), value)}


def input_schema(arguments: type[Arguments]) -> dict[str, Any]:
    """A flat object without references, unions, null or titles: some hosts drop a tool for any of them."""
    schema = _plain(arguments.model_json_schema())
    required = {"required": schema["required"]} if "required" in schema else {}
    return {"type": "object", "properties": schema["properties"], **required, "additionalProperties": False}


def read_arguments(shape: type[ArgumentsT], given: Mapping[str, Any]) -> ArgumentsT:
    """The arguments of a call.

    Raises:
        InvalidRequest: It says which argument, what was given and what is accepted.
    """
    try:
        return shape.model_validate(dict(given))
    except ValidationError as error:
        told = dict.fromkeys(_tell(problem, shape) for problem in error.errors(include_url=False))
    raise InvalidRequest(". ".join(told))


def _is_empty(field: FieldInfo | None, value: Any) -> bool:
    return value is None or (value == "" and field is not None and not field.is_required())


def _read(field: FieldInfo | None, value: Any) -> Any:
    """Hosts send lists and objects as JSON in a string, or one item where a list is meant."""
    if field is None or not isinstance(value, str) or not value.strip():
        return value
    wanted = _container(field.annotation)
    if wanted is None:
        return value.strip() if _is_number(field.annotation) else value
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = None
    if isinstance(parsed, list if wanted is tuple else dict):
        return cast("Any", parsed)
    return [value] if wanted is tuple else value


def _container(annotation: Any) -> type | None:
    origin = get_origin(annotation)
    if origin in (tuple, dict):
        return cast("type", origin)
    return next((found for part in get_args(annotation) if (found := _container(part))), None)


def _is_number(annotation: Any) -> bool:
    return annotation in (int, float, bool) or any(_is_number(part) for part in get_args(annotation))


def _plain(schema: Any, definitions: Mapping[str, Any] | None = None) -> Any:
    if isinstance(schema, list):
        return [_plain(part, definitions) for part in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    node = cast("dict[str, Any]", schema)
    known: Mapping[str, Any] = definitions if definitions is not None else node.get("$defs", {})
    if "$ref" in node:
        target = known[node["$ref"].rpartition("/")[2]]
        return _plain({**target, **_without(node, "$ref")}, known)
    properties = node.get("properties")
    plain = {
        name: _plain(value, known)
        for name, value in node.items()
        if name not in _DROPPED and name not in ("$defs", "properties")
    }
    if isinstance(properties, dict):
        named = cast("dict[str, Any]", properties)
        plain["properties"] = {name: _plain(value, known) for name, value in named.items()}
    return plain


def _without(node: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != name}


def plain_schema(model: type[BaseModel]) -> dict[str, Any]:
    """A model's schema with its references written out."""
    return _plain(model.model_json_schema(mode="serialization"))


def _tell(problem: ErrorDetails, shape: type[Arguments]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "arguments"
    inside = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"][1:])
    if inside and problem["type"] in ("extra_forbidden", "missing"):
        return f"{name}{inside} is {'missing' if problem['type'] == 'missing' else 'unknown'}"
    if problem["type"] == "extra_forbidden":
        return _unknown(name, list(shape.model_fields))
    accepted = accepts(input_schema(shape)["properties"].get(name, {}))
    if problem["type"] == "missing":
        return f"{name} is missing; it takes {accepted}"
    given = problem["input"]
    place = "".join(f"[{part}]" for part in problem["loc"][1:] if isinstance(part, int))
    return f"{name}{place} was {_quote(given)}; it takes {accepted}{_nearest(given, shape, name)}"


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
    return f"There is no argument {shorten(name, 60)!r}: {hint}"


def _quote(value: Any) -> str:
    try:
        return shorten(json.dumps(value, ensure_ascii=False, default=str), 120)
    except ValueError:
        return type(value).__name__


def _nearest(given: Any, shape: type[Arguments], name: str) -> str:
    options = input_schema(shape)["properties"].get(name, {}).get("enum", [])
    close = difflib.get_close_matches(str(given), [str(option) for option in options], n=1, cutoff=0.4)
    return f". Closest: {close[0]!r}" if close else ""


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
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f" {'above' if 'exclusiveMinimum' in schema else 'from'} {low}"
    return f" up to {high}" if high is not None else ""
