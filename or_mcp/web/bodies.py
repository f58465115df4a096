"""What a body may hold before anybody reads it: reading must be quick, and what was read be writable again."""

from __future__ import annotations

import re

import anyio.to_thread
from starlette.responses import JSONResponse, Response

# A million empty lists have the size of a long text, and take a hundred times as long to read. What each mark costs:
_MARKS = {b",": 1, b":": 1, b"[": 3, b"{": 3}
MOST_MARKS = 200_000
_LONGEST_ID = 1_000

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_WHOLE = re.compile(rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
# Each of these is repeated in what is answered.
_LONG_ID = re.compile(rb'"(?:id|method|progressToken)"\s*+:\s*+"[^"]{%d}' % _LONGEST_ID)
# JSON-RPC's number for it.
_INVALID_REQUEST = -32600


async def refused(body: bytes) -> Response | None:
    """How to answer a body that is not to be read."""
    problem = await _problem(body)
    if not problem:
        return None
    error = {"code": _INVALID_REQUEST, "message": f"Invalid request: {problem}"}
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error}, 400)


async def _problem(body: bytes) -> str:
    # Most texts hold fewer commas and brackets than that; else they are told from the values, which takes a while.
    if _cost(body) > MOST_MARKS and await anyio.to_thread.run_sync(_are_many, body):
        return f"it holds more than {MOST_MARKS:,} values; give large lists as files or in several calls"
    if _HALF.search(body) and _HALF.search(_WHOLE.sub(b"", body)):
        return "it holds half of a surrogate pair (\\ud800 to \\udfff alone)"
    if _LONG_ID.search(body):
        return f"its id, method or progressToken has more than {_LONGEST_ID:,} characters"
    return ""


def _are_many(body: bytes) -> bool:
    """Whether there are too many values, counted outside of texts. It lets others go on after every text."""
    count = end = 0
    for text in _STRING.finditer(body):
        count += _cost(body, end, text.start())
        if count > MOST_MARKS:
            return True
        end = text.end()
    return count + _cost(body, end, len(body)) > MOST_MARKS


def _cost(body: bytes, begin: int = 0, end: int | None = None) -> int:
    return sum(body.count(mark, begin, end) * cost for mark, cost in _MARKS.items())
