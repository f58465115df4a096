"""Answers that must be JSON of a given shape."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

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


def read_json(text: str, schema: Mapping[str, Any]) -> tuple[Any, str | None]:
    """The JSON in an answer, and what is wrong with it; models like to wrap it into a code fence."""
    from jsonschema import Draft202012Validator, ValidationError

    fenced = _FENCE.match(text)
    try:
        value = json.loads(fenced[1] if fenced else text)
    except ValueError as error:
        return None, f"the answer is not JSON ({error})"
    try:
        Draft202012Validator(schema).validate(value)  # pyright: ignore[reportUnknownMemberType]
    except ValidationError as problem:
        return None, f"the JSON does not match json_schema at {problem.json_path}: {problem.message[:200]}"
    return value, None
