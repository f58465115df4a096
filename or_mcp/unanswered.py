"""Answers to messages that could not be read, and for answers that cannot be written: somebody waits for each."""

from __future__ import annotations

import json
from typing import Any, cast

import mcp_types

# An id is repeated in the answer; those of all clients are numbers or UUIDs.
_LONGEST_ID = 1_000


def unreadable(line: bytes) -> mcp_types.JSONRPCError:
    """The answer to what is no message: to its sender's request, if it can be told which that was."""
    message = _loosely(line)
    if message is None:
        return _error(mcp_types.PARSE_ERROR, "Parse error: this is not JSON in UTF-8, one message a line", None)
    return _error(mcp_types.INVALID_REQUEST, "Invalid request: this is not one JSON-RPC message", _id_of(message))


def unwritable(message: mcp_types.JSONRPCMessage) -> mcp_types.JSONRPCError | None:
    """What is sent in place of an answer that cannot be written; nothing where nobody waits for one."""
    if not isinstance(message, mcp_types.JSONRPCResponse | mcp_types.JSONRPCError):
        return None
    return _error(mcp_types.INTERNAL_ERROR, "Internal error: the answer could not be written", message.id)


def is_odd(message: mcp_types.JSONRPCMessage, line: bytes) -> bool:
    """Whether a message passes for what it is not.

    With an id of null or of an odd kind it is taken for a notification, which nobody would answer; and what is too long
    would be repeated in the answer.
    """
    if isinstance(message, mcp_types.JSONRPCRequest):
        return max(len(str(message.id)), len(message.method)) > _LONGEST_ID
    loosely = _loosely(line) if isinstance(message, mcp_types.JSONRPCNotification) and b'"id"' in line else None
    return isinstance(loosely, dict) and "id" in loosely


def _loosely(line: bytes) -> Any:
    """What can still be read of it."""
    try:
        return json.loads(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _id_of(message: Any) -> str | int | None:
    if not isinstance(message, dict) or {"result", "error"} & message.keys():
        # The ids of answers are ours: an error with one of them would be taken for the answer to another request.
        return None
    found = cast("dict[str, Any]", message).get("id")
    known = isinstance(found, str | int) and not isinstance(found, bool) and len(str(found)) <= _LONGEST_ID
    return found if known and str(found).isprintable() else None


def _error(code: int, words: str, request_id: str | int | None) -> mcp_types.JSONRPCError:
    return mcp_types.JSONRPCError(jsonrpc="2.0", id=request_id, error=mcp_types.ErrorData(code=code, message=words))
