"""One table of a TOML text, written and cut as whole `[blocks]`; every other byte stays where it was.

What is spelled inline or with dots is not looked for: whoever compares meanings finds that nothing came of it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, cast

from or_mcp.hosts.layout import newline_of
from or_mcp.hosts.problem import HostProblem

Path = tuple[str, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PLACE = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)


def load(text: str) -> dict[str, Any]:
    """What a text means.

    Raises:
        HostProblem: It is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise HostProblem(_told(str(error), text)) from None
    except RecursionError:
        raise HostProblem("nested too deeply to be read") from None


def put(text: str, path: Path, value: Mapping[str, Any]) -> str:
    """A table written anew where its first block stands, or at the end."""
    newline = newline_of(text)
    rows = (f"{_name(name)} = {_write(each)}" for name, each in value.items())
    block = newline.join([f"[{'.'.join(map(_name, path))}]", *rows])
    blocks = _blocks(text, path)
    if not blocks:
        return _with_last(text, block, newline)
    (start, end), *others = blocks
    text = _without(text, others)
    return text[:start] + block + (newline if text[:end].endswith("\n") else "") + text[end:]


def cut(text: str, path: Path) -> str:
    """Remove the blocks of a table, with the blank line before each."""
    left = _without(text, _blocks(text, path))
    return left if text.endswith("\n") else left.removesuffix("\n").removesuffix("\r")


def _with_last(text: str, block: str, newline: str) -> str:
    if not text.strip():
        return text + block + newline
    return f"{text}{newline}{block}{newline}" if text.endswith("\n") else f"{text}{newline}{newline}{block}"


def _blocks(text: str, path: Path) -> list[tuple[int, int]]:
    """From each header of this table, or of one below it, to the last statement before somebody else's header."""
    names = r"[ \t]*\.[ \t]*".join(f"([\"']?){re.escape(name)}\\{at}" for at, name in enumerate(path, 1))
    header = rf"[ \t]*\[\[?[ \t]*{names}[ \t]*[.\]]"
    ours, others = re.compile(rf"^{header}", re.MULTILINE), re.compile(rf"^(?!{header})[ \t]*\[", re.MULTILINE)
    found: list[tuple[int, int]] = []
    at = 0
    while (start := _statement(ours, text, at)) < len(text):
        at = _statement(others, text, start)
        found.append((start, _last_statement(text, at)))
    return found


def _statement(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where the next statement begins that looks so; the end of the text if none does.

    A line inside a string or a list may look the same, but what stands before it is then no whole text.
    """
    return next((match.start() for match in pattern.finditer(text, at) if _is_whole(text[: match.start()])), len(text))


def _last_statement(text: str, end: int) -> int:
    """Where it ends: what follows it, to here, is empty or comments."""
    start = text.rfind("\n", 0, end - 1) + 1
    while re.fullmatch(r"[ \t]*(#[^\n]*)?\r?\n?", text[start:end]) and _is_whole(text[:start]):
        end, start = start, text.rfind("\n", 0, start - 1) + 1
    return end


def _is_whole(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _without(text: str, blocks: list[tuple[int, int]]) -> str:
    for start, end in reversed(blocks):
        before = text[:start]
        stripped = before.rstrip(" \t\r\n")
        blank = bool(stripped) and before.count("\n", len(stripped)) > 1
        text = text[: before.rfind("\n", 0, start - 1) + 1 if blank else start] + text[end:]
    return text


def _name(name: str) -> str:
    return name if _BARE.fullmatch(name) else _write(name)


def _write(value: Any) -> str:
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        return "{ " + ", ".join(f"{_name(name)} = {_write(each)}" for name, each in members.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_write, cast("list[Any]", value))) + "]"
    # A date becomes a string here, and whoever compares meanings refuses that.
    return json.dumps(value, ensure_ascii=False, default=str).replace("\x7f", "\\u007f")


def _told(message: str, text: str) -> str:
    match = _PLACE.match(message)
    if match is None:
        return message
    line = match["line"] or str(text.count("\n") + 1)
    column = match["column"] or str(len(text) - text.rfind("\n"))
    return f"line {line}, column {column}: {match['what'][:1].lower()}{match['what'][1:]}"
