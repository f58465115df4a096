"""The lines of an input file: texts, plain or as JSONL with `text`, or rows of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn, cast

import anyio.to_thread

from or_mcp.attachments.paths import Sandbox
from or_mcp.attachments.secrets import find_secrets, tell
from or_mcp.attachments.spelling import quote
from or_mcp.openrouter.errors import InvalidRequest

# It is read whole, and its lines beside it: memory bounds it, not what upstream takes.
FILE_LIMIT = 64_000_000

Row = str | Mapping[str, Any]


async def read_lines(path: str, sandbox: Sandbox, *, allow_secrets: bool = False) -> tuple[str, ...]:
    """Every text of the file, in order; blank lines are passed over.

    Raises:
        InvalidRequest: It may not be read, is too large or empty, or one of its lines cannot be used.
    """
    work = partial(_texts, path, sandbox, allow_secrets)
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


async def read_rows(path: str, sandbox: Sandbox) -> tuple[Row, ...]:
    """Every row of a JSONL file, in order: an object or a text each; blank lines are passed over.

    Raises:
        InvalidRequest: It may not be read, is too large or empty, or one of its lines is neither.
    """
    return await anyio.to_thread.run_sync(partial(_rows, path, sandbox), abandon_on_cancel=True)


def _texts(path: str, sandbox: Sandbox, allow_secrets: bool) -> tuple[str, ...]:
    file = _Lines("input_file", path)
    numbered = file.read(sandbox, allow_secrets=allow_secrets)
    if file.is_jsonl or _is_row(numbered[0][1]):
        return tuple(file.text_of(line, number) for number, line in numbered)
    return tuple(line for _, line in numbered)


def _rows(path: str, sandbox: Sandbox) -> tuple[Row, ...]:
    file = _Lines("rows_file", path)
    return tuple(file.row_of(line, number) for number, line in file.read(sandbox))


class _Lines:
    """A file by the argument that named it."""

    def __init__(self, argument: str, path: str) -> None:
        self._argument = argument
        self._path = path
        self.is_jsonl = False

    def read(self, sandbox: Sandbox, *, allow_secrets: bool = False) -> list[tuple[int, str]]:
        """The lines that are not blank, with their numbers."""
        file = sandbox.open(self._path, limit=FILE_LIMIT, argument=self._argument)
        self.is_jsonl = file.name.lower().endswith((".jsonl", ".ndjson"))
        text = self._decoded(file.data)
        if not allow_secrets:
            self._check_secrets(text, file.name)
        # Only at line feeds: splitlines() would also cut at characters that belong to a text, such as U+2028.
        numbered = [(n, line.removesuffix("\r")) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
        if not numbered:
            raise InvalidRequest(f"{self._argument}: {quote(self._path)} has no lines with text; give one text a line")
        return numbered

    def _decoded(self, data: bytes) -> str:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            # The BOM, where there is one, is cut off before the place is counted; it holds no line feed.
            self._refuse(data.count(b"\n", 0, error.start) + 1, "is not UTF-8; save the file as UTF-8")
        place = text.find("\0")
        if place >= 0:
            number = text.count("\n", 0, place) + 1
            self._refuse(number, "holds a NUL, so this is no text file; give lines of text")
        return text

    def _check_secrets(self, text: str, name: str) -> None:
        found = find_secrets(text, name)
        if found:
            raise InvalidRequest(
                f"{self._argument}: {quote(self._path)} seems to hold secrets ({tell(found)}), and nothing was sent. "
                "Give a copy without them"
            )

    def text_of(self, line: str, number: int) -> str:
        """The text of a line of JSONL."""
        row = _parsed(line)
        if not isinstance(row, dict):
            self._refuse(number, 'is not a JSON object; in JSONL each line is an object like {"text": "…"}')
        text = cast("dict[str, Any]", row).get("text")
        if not isinstance(text, str) or not text.strip():
            self._refuse(number, 'has no "text" that is a string with something in it; add it, or remove the line')
        self._check_halves(text, number)
        return text

    def row_of(self, line: str, number: int) -> Row:
        """The row of a line of JSONL."""
        row = _parsed(line)
        if not isinstance(row, dict | str) or not row:
            self._refuse(number, 'is neither a JSON object like {"column": "…"} nor a text in quotes')
        row = cast("Row", row)
        self._check_halves(row, number)
        return row

    def _check_halves(self, row: Row, number: int) -> None:
        try:
            (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)).encode()
        except UnicodeEncodeError:
            self._refuse(number, "holds half of a surrogate pair; correct the escape")

    def _refuse(self, number: int, problem: str) -> NoReturn:
        raise InvalidRequest(f"{self._argument}: line {number} of {quote(self._path)} {problem}")


def _is_row(line: str) -> bool:
    row = _parsed(line) if line.lstrip().startswith("{") else None
    return isinstance(row, dict) and "text" in row


def _parsed(line: str) -> Any:
    try:
        return json.loads(line, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None


def _refused(constant: str) -> NoReturn:
    raise ValueError(constant)
