"""Requests that weigh much, by kind: each as large as it is told to be, most of them nonsense."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from bench.catalogue import EMBEDDING_MODEL, MODEL, PAINTER

_number = count()


@dataclass(frozen=True, slots=True)
class Heavy:
    """One kind of request: a method, and its parameters at about so many bytes."""

    name: str
    method: str
    params: Callable[[int], dict[str, Any]]


def _tool(tool: str, argument: str, value: Callable[[int], Any], **rest: Any) -> Callable[[int], dict[str, Any]]:
    return lambda size: {"name": tool, "arguments": {**rest, argument: value(size)}}


def _repeated(item: Any) -> Callable[[int], list[Any]]:
    each = len(json.dumps(item)) + 1
    return lambda size: [item] * (size // each)


def _numbered(item: Callable[[int], Any]) -> Callable[[int], list[Any]]:
    each = len(json.dumps(item(1_000_000))) + 1
    return lambda size: [item(place) for place in range(size // each)]


def _text(size: int) -> str:
    return f"{next(_number)} words of a text. " * (size // 20)


def _within(build: Callable[[int], Any]) -> Callable[[int], str]:
    """The same as JSON in a string, as some hosts send lists and objects."""
    return lambda size: json.dumps(build(size))[:size]


def _schema(size: int) -> dict[str, Any]:
    names = _numbered(lambda place: f"p{place:06}")(size // 4)
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}}


def _names(size: int) -> dict[str, int]:
    return {f"n{place}": 1 for place in range(size // 13)}


# Small by itself: what comes of it weighs much.
PICTURE = Heavy("a picture arriving", "tools/call", lambda _: _tool("ask", "prompt", _text, model=PAINTER)(200))
HEAVY: tuple[Heavy, ...] = (
    Heavy("a long prompt", "tools/call", _tool("ask", "prompt", _text, model=MODEL, wait_seconds=0)),
    Heavy("wrong items", "tools/call", _tool("ask", "fallback_models", _repeated({}), prompt="x")),
    Heavy("wrong items in a string", "tools/call", _tool("ask", "fallback_models", _within(_repeated([])), prompt="x")),
    Heavy(
        "functions",
        "tools/call",
        _tool("ask", "tools", _numbered(lambda n: {"name": f"f{n}"}), prompt="x", model=MODEL),
    ),
    Heavy("outputs of functions", "tools/call", _tool("ask", "tool_outputs", _repeated({"call_id": 1}), prompt="x")),
    Heavy("a JSON Schema", "tools/call", _tool("ask", "json_schema", _schema, prompt="x", model=MODEL)),
    Heavy("unknown arguments", "tools/call", lambda size: {"name": "ask", "arguments": _names(size)}),
    Heavy("texts to embed", "tools/call", _tool("embed", "input", _numbered(str), model=EMBEDDING_MODEL, query="x")),
    Heavy("numbers to embed", "tools/call", _tool("embed", "input", _repeated(1), model=EMBEDDING_MODEL)),
    Heavy("documents to rank", "tools/call", _tool("rerank", "documents", _numbered(str), model=MODEL, query="x")),
    Heavy("a search", "tools/call", _tool("list_models", "query", _text)),
    Heavy("a search for one word", "tools/call", _tool("list_models", "query", lambda size: "x" * size)),
    Heavy("conditions", "tools/call", _tool("list_models", "supports", _numbered(str))),
    Heavy("a cursor", "tools/call", _tool("list_models", "cursor", lambda size: "A" * size)),
    Heavy("a tool's name", "tools/call", lambda size: {"name": "x" * size, "arguments": {}}),
    Heavy("a resource's URI", "resources/read", lambda size: {"uri": f"openrouter://models/{'x' * size}"}),
    Heavy(
        "a completion",
        "completion/complete",
        lambda size: {
            "ref": {"type": "ref/resource", "uri": "openrouter://models/{author}/{slug}"},
            "argument": {"name": "slug", "value": "x" * size},
        },
    ),
    Heavy("a prompt", "prompts/get", lambda size: {"name": "choose_model", "arguments": {"job": "x" * size}}),
    Heavy("nothing but brackets", "tools/call", lambda size: {"name": "run", "arguments": {"x": _repeated([])(size)}}),
)
