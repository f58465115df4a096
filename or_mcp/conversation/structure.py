"""Answers that must be JSON of a given shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic_core import from_json

from or_mcp.openrouter.errors import InvalidRequest

_FENCE = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)


def check_schema(schema: Mapping[str, Any]) -> None:
    """A schema that nothing could be checked against is refused before anything is spent.

    Raises:
        InvalidRequest: It is no JSON Schema.
    """
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InvalidRequest(f"json_schema is not a JSON Schema: {error.message}") from error
    outside = next((target for target in _references(schema) if not target.startswith("#")), None)
    if outside is not None:
        raise InvalidRequest(f"json_schema refers to {outside!r}; it takes references inside itself only (#/$defs/…)")


def read_json(text: str, schema: Mapping[str, Any]) -> tuple[Any, str | None]:
    """The JSON in an answer, and what is wrong with it; models like to wrap it into a code fence."""
    from jsonschema import Draft202012Validator, ValidationError
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    fenced = _FENCE.match(text)
    try:
        # Not json.loads: it takes NaN and halves of characters, and deep nesting crashes it.
        value = from_json(fenced[1] if fenced else text, allow_inf_nan=False)
    except ValueError as error:
        return None, f"the answer is not JSON ({error})"
    try:
        # The default registry would fetch references from the network.
        Draft202012Validator(schema, registry=Registry()).validate(value)  # pyright: ignore[reportUnknownMemberType]
    except ValidationError as problem:
        return None, f"the JSON does not match json_schema at {problem.json_path}: {problem.message[:200]}"
    except (Unresolvable, RecursionError) as error:
        return None, f"json_schema cannot be applied ({type(error).__name__}: {str(error)[:200]})"
    return value, None


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for part in cast("list[Any]", node):
            yield from _references(part)
    elif isinstance(node, Mapping):
        for name, value in cast("Mapping[str, Any]", node).items():
            if name in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from _references(value)
