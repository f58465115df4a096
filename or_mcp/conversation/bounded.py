"""Checking JSON against a caller's schema, in bounded time whatever the schema and the answer are.

Regular expressions are Rust's, whose time grows with the text and no faster; references, which can multiply without
end, look at the clock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from time import monotonic
from typing import Any, cast

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

# Checking an answer of any real size takes milliseconds; a schema that takes longer is given up on.
LONGEST_SECONDS = 5.0


class TooLong(Exception):
    """The check was given up."""


# The patterns of a few schemas; they come from callers, so there may be any number.
@lru_cache(64)
def compile_pattern(pattern: str) -> SchemaValidator | None:
    """What tells whether a text holds the pattern; None if it cannot be told in bounded time."""
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError:
        return None


def mismatch(value: Any, schema: Mapping[str, Any]) -> str | None:
    """Where a value does not match a schema, and why.

    Raises:
        TooLong: It takes too long to tell.
        Unresolvable: The schema refers to what is not there.
        RecursionError: The schema refers to itself without end.
    """
    import jsonschema
    from referencing import Registry

    # Neither package says what its parts are.
    library, registry = cast("Any", jsonschema), cast("Any", Registry)
    follow = library.Draft202012Validator.VALIDATORS
    until = monotonic() + LONGEST_SECONDS
    bounded: dict[str, Any] = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
        **{name: partial(_in_time, follow[name], until) for name in ("$ref", "$dynamicRef")},
    }
    checker = library.validators.extend(library.Draft202012Validator, bounded)
    # The default registry would fetch references from the network.
    problem = library.exceptions.best_match(checker(schema, registry=registry()).iter_errors(value))
    return None if problem is None else f"at {problem.json_path}: {problem.message[:200]}"


def _in_time(check: Any, until: float, *given: Any) -> Iterator[Any]:
    if monotonic() > until:
        raise TooLong
    yield from check(*given) or ()


def _holds(pattern: str, text: str) -> bool:
    compiled = compile_pattern(pattern)
    try:
        return compiled is None or compiled.validate_python(text) is not None
    except ValidationError:
        return False


def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError as Problem

    del schema
    if validator.is_type(value, "string") and not _holds(pattern, value):
        yield Problem(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], value: Any, schema: Any) -> Iterator[Any]:
    del schema
    if not validator.is_type(value, "object"):
        return
    for pattern, inner in patterns.items():
        for name, each in value.items():
            if _holds(pattern, name):
                yield from validator.descend(each, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    from jsonschema import ValidationError as Problem

    if not validator.is_type(value, "object"):
        return
    patterns = schema.get("patternProperties", {})
    others = [name for name in value if name not in schema.get("properties", {})]
    for name in others:
        if any(_holds(pattern, name) for pattern in patterns):
            continue
        if validator.is_type(allowed, "object"):
            yield from validator.descend(value[name], allowed, path=name)
        elif not allowed:
            yield Problem(f"additional property {name!r} is not allowed")


def _unique_items(validator: Any, unique: Any, value: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError as Problem

    del schema
    # Spelled out and compared as text: comparing each with each takes minutes for a long list.
    if (
        unique
        and validator.is_type(value, "array")
        and len({json.dumps(each, sort_keys=True) for each in value}) < len(value)
    ):
        yield Problem("the items are not all different")
