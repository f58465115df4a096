"""Changes to a TOML text that leave every other byte where it was."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from or_mcp.hosts.layout import indent_of, newline_of
from or_mcp.hosts.problem import HostProblem
from or_mcp.hosts.toml_scan import Header, Pair, Path, inline_pairs, load, scan

__all__ = ["cut", "load", "put"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def put(text: str, path: Path, value: Any) -> str:
    """Set a value or add a table, in whichever way what is around it is written."""
    statements = scan(text)
    pairs = [each for each in statements if isinstance(each, Pair)]
    holder = _holder(text, pairs, path)
    if holder is not None:
        pairs = inline_pairs(text, holder.value, holder.path)
    same = next((pair for pair in pairs if pair.path == path), None)
    if same is not None:
        return text[: same.value] + _write(value) + text[same.end :]
    if holder is not None:
        return _insert_inline(text, holder, path, value)
    sibling = _sibling(statements, path[:-1])
    if sibling is not None:
        return _add_line(text, *sibling, path, value)
    if isinstance(value, Mapping):
        return _add_table(text, path, cast("Mapping[str, Any]", value))
    return _add_table(text, path[:-1], {path[-1]: value})


def cut(text: str, path: Path) -> str:
    """Remove a table with everything below it, in whichever way it is written."""
    statements = scan(text)
    holder = _holder(text, [each for each in statements if isinstance(each, Pair)], path)
    if holder is not None:
        return _cut_inline(text, holder, path)
    mine = [each for each in statements if each.path[: len(path)] == path]
    ended = text.endswith("\n")
    for left, right in reversed(_lines(text, statements, mine)):
        text = text[:left] + text[right:]
    return text if ended else text.removesuffix("\n").removesuffix("\r")


def _holder(text: str, pairs: list[Pair], path: Path) -> Pair | None:
    """The innermost inline table that `path` lies in."""
    found: Pair | None = None
    while True:
        inside = [pair for pair in pairs if pair.path == path[: len(pair.path)] and len(pair.path) < len(path)]
        if not inside:
            return found
        found = inside[0]
        if text[found.value] != "{":
            raise HostProblem(f"{'.'.join(found.path)} is not a table")
        pairs = inline_pairs(text, found.value, found.path)


def _add_table(text: str, path: Path, table: Mapping[str, Any]) -> str:
    """A table of its own, at the end."""
    newline = newline_of(text)
    rows = [f"[{'.'.join(map(_name, path))}]", *(f"{_name(name)} = {_write(each)}" for name, each in table.items())]
    block = newline.join(rows)
    if not text.strip():
        return text + block + newline
    return f"{text}{newline}{block}{newline}" if text.endswith("\n") else f"{text}{newline}{newline}{block}"


def _insert_inline(text: str, holder: Pair, path: Path, value: Any) -> str:
    members = inline_pairs(text, holder.value, holder.path)
    written = f"{'.'.join(map(_name, path[len(holder.path) :]))} = {_write(value)}"
    if not members:
        return f"{text[: holder.value]}{{ {written} }}{text[holder.end :]}"
    at = members[-1].end
    return f"{text[:at]}, {written}{text[at:]}"


def _cut_inline(text: str, holder: Pair, path: Path) -> str:
    members = inline_pairs(text, holder.value, holder.path)
    for index in reversed(range(len(members))):
        if members[index].path[: len(path)] != path:
            continue
        start, end = members[index].start, members[index].end
        if index:
            start = members[index - 1].end
        elif len(members) > 1:
            end = members[1].start
        if len(members) == 1:
            start, end = holder.value + 1, holder.end - 1
        text = text[:start] + text[end:]
    return text


def _sibling(statements: list[Header | Pair], table: Path) -> tuple[Header | Pair, str] | None:
    """After which statement a new value of a table belongs, and what is written before its name there."""
    header = next((each for each in statements if isinstance(each, Header) and each.path == table), None)
    pairs = [each for each in statements if isinstance(each, Pair)]
    if header is not None:
        return [header, *(pair for pair in pairs if pair.header == header)][-1], ""
    dotted = [pair for pair in pairs if pair.path[: len(table)] == table and len(_header_path(pair)) < len(table)]
    return (dotted[-1], _prefix(dotted[-1], table)) if dotted else None


def _add_line(text: str, last: Header | Pair, prefix: str, path: Path, value: Any) -> str:
    """A new line after its siblings, written as they are."""
    newline = newline_of(text)
    line = f"{indent_of(text, last.start)}{prefix}{_name(path[-1])} = {_write(value)}"
    end = text.find("\n", last.end)
    return f"{text}{newline}{line}" if end < 0 else f"{text[: end + 1]}{line}{newline}{text[end + 1 :]}"


def _header_path(pair: Pair) -> Path:
    return pair.header.path if pair.header else ()


def _prefix(pair: Pair, table: Path) -> str:
    return "".join(f"{_name(name)}." for name in table[len(_header_path(pair)) :])


def _lines(text: str, statements: list[Header | Pair], mine: list[Header | Pair]) -> list[tuple[int, int]]:
    """The stretches of lines that go: with the comments inside, and one blank line before a table."""
    spans: list[tuple[int, int]] = []
    previous: int | None = None
    for each in mine:
        index = statements.index(each)
        start, end = text.rfind("\n", 0, each.start) + 1, _line_end(text, each.end)
        if spans and previous == index - 1:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((_with_blank_line(text, start) if isinstance(each, Header) else start, end))
        previous = index
    return spans


def _with_blank_line(text: str, start: int) -> int:
    before = text[:start]
    stripped = before.rstrip(" \t\r\n")
    gap = before[len(stripped) :]
    if not stripped or gap.count("\n") < 2:
        return start
    return text.rfind("\n", 0, start - 1) + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _name(name: str) -> str:
    return name if _BARE.fullmatch(name) else _write(name)


def _write(value: Any) -> str:
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        return "{ " + ", ".join(f"{_name(name)} = {_write(each)}" for name, each in members.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_write, cast("list[Any]", value))) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
