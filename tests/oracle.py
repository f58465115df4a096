"""Says what is wrong with a payload by OpenRouter's own OpenAPI document (August 2026).

`validate("ChatResult", payload)` checks a named schema, `validate("/key", payload)` the 200 reply of a path,
`request_problems("/responses", body)` a request body. Each returns a list of problems, empty when all is well.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, cast

import jsonschema

DOCUMENT = Path(__file__).parent / "data" / "openrouter-openapi.json"

_MOST_PROBLEMS = 5


def validate(schema_name_or_path: str, payload: object) -> list[str]:
    """What is wrong with a reply; the schema is a component's name or an API path such as /models/count."""
    if schema_name_or_path.startswith("/"):
        operations = _document()["paths"][schema_name_or_path]
        method = "get" if "get" in operations else "post"
        return _problems(_reply_pointer(schema_name_or_path, method), payload)
    return _problems(f"/components/schemas/{schema_name_or_path}", payload)


def reply_problems(method: str, path: str, status: int, payload: object) -> list[str] | None:
    """What is wrong with the JSON that a path answers with; None if the document does not know it."""
    known = {re.sub(r"{.*?}", "{}", each): each for each in _document()["paths"]}
    named = known.get(re.sub(r"{.*?}", "{}", path))
    replies: dict[str, Any] = _document()["paths"].get(named, {}).get(method.lower(), {}).get("responses", {})
    if named is None or "application/json" not in replies.get(str(status), {}).get("content", {}):
        return None
    return _problems(_reply_pointer(named, method.lower(), status), payload)


def request_problems(path: str, body: object) -> list[str]:
    """What is wrong with the body of a POST to this path."""
    return _problems(f"/paths/{_escaped(path)}/post/requestBody/content/application~1json/schema", body)


def _problems(pointer: str, payload: object) -> list[str]:
    schema = _resolve(pointer)
    if "$ref" in schema:
        return _problems(schema["$ref"].removeprefix("#"), payload)
    mapping = cast("dict[str, Any]", schema.get("discriminator", {})).get("mapping", {})
    if mapping and isinstance(payload, dict):
        kind = cast("dict[str, Any]", payload).get(schema["discriminator"]["propertyName"])
        if kind not in mapping:
            return [f"unknown {schema['discriminator']['propertyName']} {kind!r}"]
        return _problems(mapping[kind].removeprefix("#"), cast(object, payload))
    errors = list(cast(Any, _validator(pointer)).iter_errors(payload))
    return [_described(error) for error in errors[:_MOST_PROBLEMS]]


def _described(error: jsonschema.ValidationError) -> str:
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return f"{error.json_path}: {error.message[:300]}"


def _reply_pointer(path: str, method: str, status: int = 200) -> str:
    return f"/paths/{_escaped(path)}/{method}/responses/{status}/content/application~1json/schema"


def _escaped(path: str) -> str:
    return path.replace("/", "~1")


def _resolve(pointer: str) -> dict[str, Any]:
    node: Any = _document()
    for step in pointer.strip("/").split("/"):
        node = node[step.replace("~1", "/")]
    return node


@cache
def _validator(pointer: str) -> jsonschema.Draft202012Validator:
    document = _document()
    schema = {"$ref": f"#{pointer}", "components": document["components"], "paths": document["paths"]}
    return jsonschema.Draft202012Validator(schema)


@cache
def _document() -> dict[str, Any]:
    return _loosened(json.loads(DOCUMENT.read_text(encoding="utf-8")))


def _loosened(node: Any) -> Any:
    """The document without what new values break: enums of several values, and unions that must match once.

    Enums of one value stay: they tell the variants of a union apart.
    """
    if isinstance(node, list):
        return [_loosened(item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    loose: dict[str, Any] = {}
    for name, value in cast("dict[str, Any]", node).items():
        if name == "enum" and isinstance(value, list) and len(cast("list[Any]", value)) > 1:
            continue
        if name in ("example", "examples"):
            continue
        loose["anyOf" if name == "oneOf" and isinstance(value, list) else name] = _loosened(value)
    return loose
