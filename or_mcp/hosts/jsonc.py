"""JSON as hosts read it, with comments and trailing commas: text to a tree that knows where everything stands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from or_mcp.hosts.problem import Unreadable

_TRIVIA = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*[\s\S]*?\*/)*")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)")
_CLOSE = {"{": "}", "[": "]"}
_KINDS = {"{": "an object", "[": "a list", '"': "a string"}
# Deeper than any configuration, and far from where reading it would end in a crash.
_DEEPEST = 200
_UNKNOWN: Any = object()


class Node:
    """A value and where it stands; what it holds is looked at when it is asked for."""

    def __init__(
        self,
        text: str,
        start: int,
        end: int,
        *,
        depth: int = 0,
        value: Any = _UNKNOWN,
        children: list[Child] | None = None,
    ) -> None:
        self.start, self.end = start, end
        self.opener = text[start]
        self._text, self._depth, self._value, self._children = text, depth, value, children

    @property
    def children(self) -> list[Child]:
        """Members of an object, items of a list."""
        if self._children is None:
            self._children = _contents(self._text, self.start, self._depth)[0] if self.opener in _CLOSE else []
        return self._children

    @property
    def value(self) -> Any:
        """What Python makes of it; of two members with one name the last counts, as in every host."""
        if self._value is _UNKNOWN:
            if self.opener == "{":
                self._value = {child.key: child.node.value for child in self.children}
            elif self.opener == "[":
                self._value = [child.node.value for child in self.children]
            else:
                self._value = json.loads(self._text[self.start : self.end])
        return self._value

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return _KINDS.get(self.opener, "a plain value")

    def member(self, key: str) -> Child | None:
        """The member that counts under this name."""
        return next((child for child in reversed(self.children) if child.key == key), None)


@dataclass(slots=True)
class Child:
    """A member of an object, or an item of a list (without a key)."""

    key: str | None
    start: int
    node: Node
    comma: int | None = None


def parse(text: str) -> Node | None:
    """The value of a text; None when it holds nothing but space and comments.

    Raises:
        Unreadable: It is not JSON, even with comments and trailing commas.
    """
    at = _skip(text, 0)
    if at == len(text):
        return None
    root = _node(text, at, 0)
    end = _skip(text, root.end)
    if end != len(text):
        raise Unreadable(text, end, "the file goes on after its end")
    return root


def _refuse(constant: str) -> None:
    raise ValueError(constant)


_STRICT = json.JSONDecoder(parse_constant=_refuse)


def _skip(text: str, at: int) -> int:
    match = _TRIVIA.match(text, at)
    end = match.end() if match else at
    if text.startswith("/*", end):
        raise Unreadable(text, end, "a comment that never ends")
    return end


def _node(text: str, at: int, depth: int) -> Node:
    opener = text[at : at + 1]
    if opener in _CLOSE:
        return _container(text, at, depth)
    match = _STRING.match(text, at) if opener == '"' else _SCALAR.match(text, at)
    if match is None:
        wrong = "a string that is not written right" if opener == '"' else f"expected a value{_found(text, at)}"
        raise Unreadable(text, at, wrong)
    return Node(text, at, match.end())


def _container(text: str, start: int, depth: int) -> Node:
    if depth >= _DEEPEST:
        raise Unreadable(text, start, f"more than {_DEEPEST} levels of nesting")
    try:
        # Files of megabytes are strict JSON, written by programs: the decoder in C is many times faster.
        value, end = _STRICT.raw_decode(text, start)
        return Node(text, start, end, value=value, depth=depth)
    except (ValueError, RecursionError):
        children, end = _contents(text, start, depth)
        return Node(text, start, end, children=children, depth=depth)


def _contents(text: str, start: int, depth: int) -> tuple[list[Child], int]:
    """What stands between two brackets, and where that ends."""
    opener, children = text[start], list[Child]()
    closer = _CLOSE[opener]
    at = _skip(text, start + 1)
    while text[at : at + 1] != closer:
        child = _child(text, at, opener, depth)
        children.append(child)
        at = _skip(text, child.node.end)
        if text[at : at + 1] == ",":
            child.comma = at
            at = _skip(text, at + 1)
        elif text[at : at + 1] != closer:
            raise Unreadable(text, at, f"expected , or {closer}{_found(text, at)}")
    return children, at + 1


def _child(text: str, at: int, opener: str, depth: int) -> Child:
    if opener == "[":
        return Child(None, at, _node(text, at, depth + 1))
    name = _STRING.match(text, at)
    if name is None:
        raise Unreadable(text, at, f"expected a name in double quotes{_found(text, at)}")
    colon = _skip(text, name.end())
    if text[colon : colon + 1] != ":":
        raise Unreadable(text, colon, f"expected :{_found(text, colon)}")
    return Child(json.loads(name[0]), at, _node(text, _skip(text, colon + 1), depth + 1))


def _found(text: str, at: int) -> str:
    return f", found {text[at]!r}" if at < len(text) else ", found the end of the file"
