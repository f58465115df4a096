"""Where everything stands in a TOML text. `tomllib` says what it means; it does not say where."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from or_mcp.hosts.problem import HostProblem

Path = tuple[str, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_GAP = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_TEXT = re.compile(r""""{3}(?:[^\\]|\\[\s\S])*?"{3,5}|'{3}[\s\S]*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'""")
_PLAIN = re.compile(r"[^,\]}#\r\n]+")
_PLACE = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Header:
    """`[a.b]` or `[[a.b]]`: the table that what follows belongs to."""

    start: int
    end: int
    path: Path


@dataclass(frozen=True, slots=True)
class Pair:
    """`a.b = value`; `path` counts from the root, `key` is what is written before the last name."""

    start: int
    end: int
    path: Path
    prefix: str
    value: int
    header: Header | None = None


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


def scan(text: str) -> list[Header | Pair]:
    """Every statement of a text that `load` accepts, in order."""
    found: list[Header | Pair] = []
    header: Header | None = None
    at = _skip(_BLANK, text, 0)
    while at < len(text):
        if text[at] == "[":
            header = _header(text, at)
            found.append(header)
        else:
            found.append(_pair(text, at, header.path if header else (), header))
        at = _skip(_BLANK, text, found[-1].end)
    return found


def inline_pairs(text: str, at: int, path: Path) -> list[Pair]:
    """What an inline table holds that starts here."""
    return _inline(text, at, path)[0]


def _header(text: str, start: int) -> Header:
    brackets = 2 if text.startswith("[[", start) else 1
    names, _, at = _dotted(text, _skip(_GAP, text, start + brackets))
    return Header(start, text.index("]", at) + brackets, names)


def _pair(text: str, start: int, table: Path, header: Header | None) -> Pair:
    names, last, at = _dotted(text, start)
    value = _skip(_GAP, text, text.index("=", at) + 1)
    return Pair(start, _end_of_value(text, value), table + names, text[start:last], value, header)


def _dotted(text: str, at: int) -> tuple[Path, int, int]:
    """The names of a key, where the last one starts, and where the key ends."""
    names: list[str] = []
    while True:
        match = _KEY.match(text, at)
        if match is None:
            raise HostProblem(f"a key that cannot be read: {text[at : at + 20]!r}")
        names.append(next(iter(tomllib.loads(f"{match[0]} = 0"))))
        last, at = at, _skip(_GAP, text, match.end())
        if text[at : at + 1] != ".":
            return tuple(names), last, at
        at = _skip(_GAP, text, at + 1)


def _end_of_value(text: str, at: int) -> int:
    if text[at] == "{":
        return _inline(text, at, ())[1]
    if text[at] == "[":
        return _end_of_list(text, at)
    match = _TEXT.match(text, at) or _PLAIN.match(text, at)
    return at + len(match[0].rstrip()) if match else at


def _inline(text: str, at: int, path: Path) -> tuple[list[Pair], int]:
    pairs: list[Pair] = []
    at = _skip(_BLANK, text, at + 1)
    while text[at] != "}":
        pairs.append(_pair(text, at, path, None))
        at = _after_comma(text, pairs[-1].end)
    return pairs, at + 1


def _end_of_list(text: str, at: int) -> int:
    at = _skip(_BLANK, text, at + 1)
    while text[at] != "]":
        at = _after_comma(text, _end_of_value(text, at))
    return at + 1


def _after_comma(text: str, at: int) -> int:
    at = _skip(_BLANK, text, at)
    return _skip(_BLANK, text, at + 1) if text[at] == "," else at


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _told(message: str, text: str) -> str:
    match = _PLACE.match(message)
    if match is None:
        return message
    line = match["line"] or str(text.count("\n") + 1)
    column = match["column"] or str(len(text) - text.rfind("\n"))
    return f"line {line}, column {column}: {match['what'][:1].lower()}{match['what'][1:]}"
