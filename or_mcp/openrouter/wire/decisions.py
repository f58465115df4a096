"""`/api/alpha/decisions`: typed questions about a state. Upstream calls it alpha: its shape may change."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from or_mcp.openrouter.wire.lenient import Lenient, Name, Reply
from or_mcp.openrouter.wire.request import Request
from or_mcp.openrouter.wire.routing import Provider
from or_mcp.openrouter.wire.usage import Usage


class Question(Request):
    """One question. What `criteria` are depends on its type: options by name, levels in order, or true and false."""

    type: str
    instructions: str
    criteria: Any = None


class DecisionsRequest(Request):
    """What is sent. A state is a text, an object, or a list of texts and of media parts as chat has them."""

    model: str
    questions: dict[str, Question]
    state: Any
    provider: Provider | None = None
    session_id: str | None = None


class DecisionsReply(Reply):
    """The answers, by the names of the questions; what is in them is for whoever asked to check."""

    id: Lenient[Name] = None
    model: Lenient[Name] = None
    provider: Lenient[Name] = None
    answers: dict[str, JsonValue]
    usage: Lenient[Usage] = None
