"""How a tool's arguments are read: as they were meant, and with errors that help."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from or_mcp.openrouter.errors import InvalidRequest, shorten
from or_mcp.tools.schemas import accepts, input_schema

ArgumentsT = TypeVar("ArgumentsT", bound="Arguments")


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
