"""Changes to a JSON text that leave every other byte where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from or_mcp.hosts.jsonc import Child, Node, parse
from or_mcp.hosts.layout import indent_of, newline_of, starts_line
from or_mcp.hosts.problem import Unreadable


@dataclass(frozen=True, slots=True)
class Style:
    """How a file is laid out."""

    newline: str
    unit: str
    colon: str
    comma: str

    def write(self, value: Any, indent: str | None) -> str:
        """A value at this indentation; without one, on a single line."""
        if indent is None:
            return json.dumps(value, ensure_ascii=False, separators=(self.comma, self.colon))
        if not value or not isinstance(value, (dict, list)) or _is_row(value):
            return json.dumps(value, ensure_ascii=False)
        inner = indent + self.unit
        rows = f",{self.newline}".join(f"{inner}{self.write_child(child, inner)}" for child in _children(value))
        first, last = "{}" if isinstance(value, dict) else "[]"
        return f"{first}{self.newline}{rows}{self.newline}{indent}{last}"

    def write_child(self, child: tuple[str | None, Any], indent: str | None) -> str:
        """A member or an item."""
        name, value = child
        colon = self.colon if indent is None else ": "
        return ("" if name is None else json.dumps(name, ensure_ascii=False) + colon) + self.write(value, indent)


def load(text: str) -> Any:
    """What a text holds; a file with nothing in it is an empty object."""
    root = parse(text)
    return {} if root is None else root.value


def put(text: str, path: tuple[str, ...], value: Any) -> str:
    """Set a value, with the objects that lead to it; of an object that is there, only what is different."""
    root = parse(text)
    if root is None:
        return _first(text, _nested(path, value))
    node = root
    for depth, key in enumerate(path):
        _expect(text, node, "{", path[:depth])
        child = node.member(key)
        if child is None:
            return _insert(text, root, node, (key, _nested(path[depth + 1 :], value)))
        node = child.node
    if node.value == value:
        return text
    if node.opener == "{" and isinstance(value, Mapping):
        for name, each in cast("Mapping[str, Any]", value).items():
            text = put(text, (*path, name), each)
        return text
    style = _style(text, root)
    indent = indent_of(text, node.start) if "\n" in text[root.start : root.end] else None
    return text[: node.start] + style.write(value, indent) + text[node.end :]


def append(text: str, key: str, item: Any) -> str:
    """Add an item to a list at the top."""
    root = parse(text)
    found = root.member(key) if root else None
    if root is None or found is None:
        return put(text, (key,), [item])
    _expect(text, found.node, "[", (key,))
    return _insert(text, root, found.node, (None, item))


def cut(text: str, path: tuple[str, ...]) -> str:
    """Remove a member, however often it is there; nothing else moves."""
    return _cut(text, path[:-1], lambda child: child.key == path[-1])


def cut_items(text: str, key: str, name: str, value: Any) -> str:
    """Remove the objects of a list at the top whose `name` has this value."""

    def chosen(child: Child) -> bool:
        found = child.node.member(name)
        return found is not None and found.node.value == value

    return _cut(text, (key,), chosen)


def _cut(text: str, path: tuple[str, ...], chosen: Callable[[Child], bool]) -> str:
    node = parse(text)
    for key in path:
        found = node.member(key) if node else None
        node = found.node if found else None
    index = next((at for at, child in enumerate(node.children) if chosen(child)), None) if node else None
    if node is None or index is None:
        return text
    return _cut(_without(text, node, index), path, chosen)


def _first(text: str, value: Any) -> str:
    """The first value of a file that had none."""
    newline = newline_of(text)
    lead = text.rstrip()
    written = Style(newline, "  ", ": ", ", ").write(value, "")
    return f"{lead}{newline if lead else ''}{written}{newline}"


def _nested(path: tuple[str, ...], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _expect(text: str, node: Node, opener: str, path: tuple[str, ...]) -> None:
    if node.opener != opener:
        wanted = {"{": "an object", "[": "a list"}[opener]
        where = ".".join(path) or "the file"
        raise Unreadable(text, node.start, f"{where} is {node.kind}, but has to be {wanted}")


def _insert(text: str, root: Node, node: Node, child: tuple[str | None, Any]) -> str:
    """Add a child at the end, laid out as its neighbours are."""
    style = _style(text, root)
    last = node.children[-1] if node.children else None
    if last is None:
        return _insert_only(text, root, node, child)
    end = last.node.end if last.comma is None else last.comma + 1
    trailing = "" if last.comma is None else ","
    lead = text[:end] if last.comma is not None else text[:end] + ","
    if not starts_line(text, last.start):
        space = style.comma[1:]
        return f"{lead}{space}{style.write_child(child, None)}{trailing}{text[end:]}"
    indent = indent_of(text, last.start)
    at = max(end, len(text[: node.end - 1].rstrip()))
    written = f"{style.newline}{indent}{style.write_child(child, indent)}{trailing}"
    return f"{lead}{text[end:at]}{written}{text[at:]}"


def _insert_only(text: str, root: Node, node: Node, child: tuple[str | None, Any]) -> str:
    style, close = _style(text, root), node.end - 1
    inner = text[node.start + 1 : close]
    if "\n" not in text[root.start : root.end] and node is not root:
        return f"{text[: node.start + 1]}{style.write_child(child, None)}{inner.lstrip()}{text[close:]}"
    outer = indent_of(text, node.start)
    indent = outer + style.unit
    kept = inner.rstrip()
    rest = inner[len(kept) :] if kept and "\n" in inner[len(kept) :] else style.newline + outer
    written = f"{style.newline}{indent}{style.write_child(child, indent)}"
    return f"{text[: node.start + 1]}{kept}{written}{rest}{text[close:]}"


def _without(text: str, node: Node, index: int) -> str:
    child, before = node.children[index], node.children[index - 1] if index else None
    start, end = child.start, child.node.end
    spans: list[tuple[int, int]] = []
    if child.comma is not None and not text[end : child.comma].strip():
        end = child.comma + 1
    elif child.comma is not None:
        spans.append((child.comma, child.comma + 1))
    elif before is not None and before.comma is not None:
        spans.append((before.comma, before.comma + 1))
    spans.append(_widened(text, start, end, inline_first=before is None))
    for left, right in sorted(spans, reverse=True):
        text = text[:left] + text[right:]
    close = node.end - 1 - sum(right - left for left, right in spans)
    if len(node.children) == 1 and not text[node.start + 1 : close].strip():
        # What has become empty holds no space either.
        return text[: node.start + 1] + text[close:]
    return text


def _widened(text: str, start: int, end: int, *, inline_first: bool) -> tuple[int, int]:
    """The space that goes with a child: its line, or the gap to its neighbour."""
    after = end
    while text[after : after + 1] in (" ", "\t"):
        after += 1
    if starts_line(text, start):
        if text[after : after + 1] not in ("\r", "\n"):
            return start, after
        line = text.rfind("\n", 0, start)
        return line - (text[line - 1 : line] == "\r"), after
    if inline_first:
        return start, after
    while text[start - 1] in (" ", "\t"):
        start -= 1
    return start, end


def _style(text: str, root: Node) -> Style:
    newline = newline_of(text)
    first = next((child for child in root.children if starts_line(text, child.start)), None)
    outer = indent_of(text, root.start)
    unit = indent_of(text, first.start).removeprefix(outer) if first else ""
    spaced = first is not None or not root.children or text[root.children[0].node.start - 1].isspace()
    return Style(newline, unit or "  ", ": " if spaced else ":", ", " if spaced else ",")


def _is_row(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in cast("list[Any]", value))


def _children(value: Any) -> list[tuple[str | None, Any]]:
    return list(cast("dict[str, Any]", value).items()) if isinstance(value, dict) else [(None, item) for item in value]
