"""JSON as hosts read it, with comments and trailing commas: text to a tree that knows where everything stands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from or_mcp.hosts.problem import Unreadable

_TRIVIA = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*[\s\S]*?\*/)*")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)")
_CLOSE = {"{": "}", "[": "]"}
_KINDS = {"{": "an object", "[": "a list", '"': "a string"}
_DEEPEST = 200


@dataclass(slots=True)
class Node:
    """A value and where it stands."""

    start: int
    end: int
    opener: str
    children: list[Child] = field(default_factory=list["Child"])


@dataclass(slots=True)
class Child:
    """A member of an object, or an item of a list (without a key)."""

    key: str | None
    start: int
    value: Node
    comma: int | None = None


def kind(node: Node) -> str:
    """What a value is, in words."""
    return _KINDS.get(node.opener, "a plain value")


def parse(text: str) -> Node | None:
    """The value of a text; None when it holds nothing but space and comments.

    Raises:
        Unreadable: It is not JSON, even with comments and trailing commas.
    """
    at = _skip(text, 0)
    if at == len(text):
        return None
    root = _value(text, at, 0)
    end = _skip(text, root.end)
    if end != len(text):
        raise Unreadable(text, end, "the file goes on after its end")
    return root


def value_of(text: str, node: Node) -> Any:
    """A value as Python has it; of two members with one name the last counts, as in every host."""
    if node.opener == "{":
        return {child.key: value_of(text, child.value) for child in node.children}
    if node.opener == "[":
        return [value_of(text, child.value) for child in node.children]
    return json.loads(text[node.start : node.end])


def member(node: Node, key: str) -> Child | None:
    """The member that counts under this name."""
    return next((child for child in reversed(node.children) if child.key == key), None)


def _skip(text: str, at: int) -> int:
    match = _TRIVIA.match(text, at)
    end = match.end() if match else at
    if text.startswith("/*", end):
        raise Unreadable(text, end, "a comment that never ends")
    return end


def _value(text: str, at: int, depth: int) -> Node:
    opener = text[at : at + 1]
    if opener in _CLOSE:
        return _container(text, at, opener, depth)
    match = _STRING.match(text, at) if opener == '"' else _SCALAR.match(text, at)
    if match is None:
        raise Unreadable(text, at, "a string that is not written right" if opener == '"' else _expected(text, at))
    return Node(at, match.end(), opener)


def _container(text: str, start: int, opener: str, depth: int) -> Node:
    if depth >= _DEEPEST:
        raise Unreadable(text, start, f"more than {_DEEPEST} levels of nesting")
    node, closer = Node(start, start, opener), _CLOSE[opener]
    at = _skip(text, start + 1)
    while text[at : at + 1] != closer:
        child = _child(text, at, opener, depth)
        node.children.append(child)
        at = _skip(text, child.value.end)
        if text[at : at + 1] == ",":
            child.comma = at
            at = _skip(text, at + 1)
        elif text[at : at + 1] != closer:
            raise Unreadable(text, at, f"expected , or {closer}{_found(text, at)}")
    node.end = at + 1
    return node


def _child(text: str, at: int, opener: str, depth: int) -> Child:
    if opener == "[":
        return Child(None, at, _value(text, at, depth + 1))
    name = _STRING.match(text, at)
    if name is None:
        raise Unreadable(text, at, f"expected a name in double quotes{_found(text, at)}")
    colon = _skip(text, name.end())
    if text[colon : colon + 1] != ":":
        raise Unreadable(text, colon, f"expected :{_found(text, colon)}")
    return Child(json.loads(name[0]), at, _value(text, _skip(text, colon + 1), depth + 1))


def _expected(text: str, at: int) -> str:
    return f"expected a value{_found(text, at)}"


def _found(text: str, at: int) -> str:
    return f", found {text[at]!r}" if at < len(text) else ", found the end of the file"
