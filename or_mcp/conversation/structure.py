"""Answers that must be JSON of a given shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic_core import from_json

from or_mcp.conversation.bounded import TooLong, compile_pattern, mismatch
from or_mcp.openrouter.errors import InvalidRequest, shorten

# No schema that a person or a program writes is nested like this, and walking one would end in a crash.
_DEEPEST = 60
# Some providers take half as much; checking it takes about two seconds.
_MOST_VALUES, _MOST_CHARACTERS = 5_000, 250_000


def check_schema(schema: Mapping[str, Any]) -> None:
    """A schema that nothing could be checked against is refused before anything is spent. Takes a while: call it in a
    thread.

    Raises:
        InvalidRequest: It is no JSON Schema, or one that cannot be applied here.
    """
    from jsonschema import Draft202012Validator, FormatChecker, SchemaError

    _check_size(schema)
    nodes = list(_nodes(schema))
    for node in nodes:
        _check_names(node)
    try:
        # Patterns are checked below: the checker's own regular expressions are not those that are applied.
        Draft202012Validator.check_schema(schema, format_checker=FormatChecker(formats=()))
    except SchemaError as error:
        raise InvalidRequest(f"json_schema is not a JSON Schema: {shorten(error.message, 200)}") from error
    for node in nodes:
        _check_node(node)


def _check_size(schema: Mapping[str, Any]) -> None:
    level: list[Any] = [schema]
    values = characters = 0
    for _ in range(2 * _DEEPEST):
        values += len(level)
        characters += sum(len(each) for each in level if isinstance(each, str))
        if values > _MOST_VALUES or characters > _MOST_CHARACTERS:
            raise InvalidRequest(
                f"json_schema is too large: it may hold {_MOST_VALUES:,} values and {_MOST_CHARACTERS:,} characters"
            )
        below = [cast("Mapping[str, Any]", each) for each in level if isinstance(each, Mapping)]
        lists = [cast("list[Any]", each) for each in level if isinstance(each, list)]
        characters += sum(len(name) for each in below for name in each)
        level = [part for each in (*lists, *(each.values() for each in below)) for part in each]


def _check_names(node: Mapping[str, Any]) -> None:
    """Only texts: of anything else each would be compared with each."""
    for keyword in ("required", "type"):
        names = node.get(keyword)
        if isinstance(names, list) and not all(isinstance(each, str) for each in cast("list[Any]", names)):
            raise InvalidRequest(f"json_schema is not a JSON Schema: {keyword} takes texts")


def read_json(text: str, schema: Mapping[str, Any]) -> tuple[Any, str | None]:
    """The JSON in an answer, and what is wrong with it. Blocks for a moment: call it in a thread."""
    from referencing.exceptions import Unresolvable

    try:
        value = _parsed(text)
    except ValueError as error:
        return None, f"the answer is not JSON ({error})"
    try:
        problem = mismatch(value, schema)
    except TooLong:
        return None, "the JSON was not checked: applying json_schema takes too long"
    except (Unresolvable, RecursionError) as error:
        return None, f"json_schema cannot be applied ({type(error).__name__}: {str(error)[:200]})"
    if problem is not None:
        return None, f"the JSON does not match json_schema {problem}"
    return value, None


def _parsed(text: str) -> Any:
    for candidate in _inside(text):
        try:
            return _strict(candidate)
        except ValueError:
            continue
    return _strict(text)


def _inside(text: str) -> Iterator[str]:
    """What may be the JSON: models like to put it into a fence, or words around it."""
    yield text
    fence, closing = text.find("```"), text.rfind("```")
    if fence < closing:
        yield text[text.find("\n", fence) + 1 : closing]
    begin = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    end = max(text.rfind("}"), text.rfind("]"))
    if 0 <= begin < end:
        yield text[begin : end + 1]


def _strict(text: str) -> Any:
    # Not json.loads: it takes NaN and halves of characters, and deep nesting crashes it.
    return from_json(text, allow_inf_nan=False)


def response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What asks upstream for this shape. Strict providers refuse a schema that leaves anything open."""
    strict = all(_is_closed(node) for node in _nodes(schema))
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": strict, "schema": dict(schema)}}


def _nodes(node: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Every object in a schema, itself first."""
    if depth > _DEEPEST:
        raise InvalidRequest(f"json_schema is nested more than {_DEEPEST} deep; give a flatter one")
    if isinstance(node, Mapping):
        mapping = cast("Mapping[str, Any]", node)
        yield mapping
        node = list(mapping.values())
    if isinstance(node, list):
        for part in cast("list[Any]", node):
            yield from _nodes(part, depth + 1)


def _check_node(node: Mapping[str, Any]) -> None:
    for name in ("$ref", "$dynamicRef"):
        target = node.get(name)
        if isinstance(target, str) and not target.startswith("#"):
            raise InvalidRequest(
                f"json_schema refers to {shorten(target, 80)!r}; it takes references inside itself only (#/$defs/…)"
            )
    named = node.get("patternProperties")
    for pattern in (node.get("pattern"), *(cast("Mapping[str, Any]", named) if isinstance(named, Mapping) else ())):
        if isinstance(pattern, str) and compile_pattern(pattern) is None:
            raise InvalidRequest(
                f"json_schema has the pattern {shorten(pattern, 80)!r}, which cannot be checked here; "
                "write it without look-around and back-references"
            )
    if "unevaluatedProperties" in node:
        raise InvalidRequest(
            "json_schema has unevaluatedProperties, which is not checked here; use additionalProperties"
        )


def _is_closed(node: Mapping[str, Any]) -> bool:
    properties = node.get("properties")
    if node.get("type") != "object" and not isinstance(properties, Mapping):
        return True
    names = set(cast("Mapping[str, Any]", properties)) if isinstance(properties, Mapping) else set[str]()
    return node.get("additionalProperties") is False and names == set(cast("list[str]", node.get("required", [])))
