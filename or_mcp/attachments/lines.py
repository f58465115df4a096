"""The texts of an input file: one a line, plain or as JSONL with `text`."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, NoReturn, cast

import anyio.to_thread

from or_mcp.attachments.paths import Sandbox
from or_mcp.attachments.secrets import find_secrets, tell
from or_mcp.attachments.spelling import quote
from or_mcp.openrouter.errors import InvalidRequest

# It is read whole, and its lines beside it: memory bounds it, not what upstream takes.
FILE_LIMIT = 64_000_000

_ARGUMENT = "input_file"


async def read_lines(path: str, sandbox: Sandbox, *, allow_secrets: bool = False) -> tuple[str, ...]:
    """Every text of the file, in order; blank lines are passed over.

    Raises:
        InvalidRequest: It may not be read, is too large or empty, or one of its lines cannot be used.
    """
    work = partial(_read, path, sandbox, allow_secrets)
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


def _read(path: str, sandbox: Sandbox, allow_secrets: bool) -> tuple[str, ...]:
    file = sandbox.open(path, limit=FILE_LIMIT, argument=_ARGUMENT)
    text = _decoded(file.data, path)
    if not allow_secrets:
        _check_secrets(text, file.name, path)
    # Only at line feeds: splitlines() would also cut at characters that belong to a text, such as U+2028.
    numbered = [(number, line.removesuffix("\r")) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not numbered:
        raise InvalidRequest(f"{_ARGUMENT}: {quote(path)} has no lines with text; give one text a line")
    if file.name.lower().endswith((".jsonl", ".ndjson")) or _is_row(numbered[0][1]):
        return tuple(_text_of(line, number, path) for number, line in numbered)
    return tuple(line for _, line in numbered)


def _decoded(data: bytes, path: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The BOM, where there is one, is cut off before the place is counted; it holds no line feed.
        _refuse(path, data.count(b"\n", 0, error.start) + 1, "is not UTF-8; save the file as UTF-8")
    place = text.find("\0")
    if place >= 0:
        _refuse(path, text.count("\n", 0, place) + 1, "holds a NUL, so this is no text file; give lines of text")
    return text


def _check_secrets(text: str, name: str, path: str) -> None:
    found = find_secrets(text, name)
    if found:
        raise InvalidRequest(
            f"{_ARGUMENT}: {quote(path)} seems to hold secrets ({tell(found)}), and nothing was sent. "
            "Give a copy without them"
        )


def _is_row(line: str) -> bool:
    row = _parsed(line) if line.lstrip().startswith("{") else None
    return isinstance(row, dict) and "text" in row


def _text_of(line: str, number: int, path: str) -> str:
    row = _parsed(line)
    if not isinstance(row, dict):
        _refuse(path, number, 'is not a JSON object; in JSONL each line is an object like {"text": "…"}')
    text = cast("dict[str, Any]", row).get("text")
    if not isinstance(text, str) or not text.strip():
        _refuse(path, number, 'has no "text" that is a string with something in it; add it, or remove the line')
    try:
        text.encode()
    except UnicodeEncodeError:
        _refuse(path, number, "holds half of a surrogate pair; correct the escape")
    return text


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _refuse(path: str, number: int, problem: str) -> NoReturn:
    raise InvalidRequest(f"{_ARGUMENT}: line {number} of {quote(path)} {problem}")
