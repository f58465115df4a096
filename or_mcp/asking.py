"""Asking the host's user, in both protocol eras."""

from __future__ import annotations

from typing import Any

import mcp_types
from mcp import MCPError
from mcp.server.context import ServerRequestContext

from or_mcp.tools.call import Ask
from or_mcp.tools.confirming import NeedsAnswer

_KEY = "confirm"
_FIELD = "go"
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {_FIELD: {"type": "boolean", "title": "Spend it"}},
    "required": [_FIELD],
}
_FIRST_MODERN = "2026-07-28"


def asker(ctx: ServerRequestContext[Any, Any], params: mcp_types.CallToolRequestParams) -> Ask | None:
    """How to ask this host's user, or None when it cannot be asked."""
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.elicitation is None:
        return None
    if ctx.protocol_version >= _FIRST_MODERN:
        return _by_calling_again(params)
    return _by_request(ctx) if ctx.session.can_send_request else None


def question_result(needed: NeedsAnswer) -> mcp_types.InputRequiredResult:
    """The question as a result: the host asks, and calls again with the answer."""
    asked = mcp_types.ElicitRequestFormParams(message=needed.question, requested_schema=_SCHEMA)
    return mcp_types.InputRequiredResult(
        input_requests={_KEY: mcp_types.ElicitRequest(params=asked)}, request_state=needed.question
    )


def _by_calling_again(params: mcp_types.CallToolRequestParams) -> Ask:
    async def ask(question: str) -> bool:
        answer = (params.input_responses or {}).get(_KEY)
        # The sealed state holds what was asked: an answer to another question is no answer to this one.
        if answer is None or params.request_state != question:
            raise NeedsAnswer(question)
        return isinstance(answer, mcp_types.ElicitResult) and _agreed(answer)

    return ask


def _by_request(ctx: ServerRequestContext[Any, Any]) -> Ask:
    async def ask(question: str) -> bool:
        try:
            answer = await ctx.session.elicit_form(question, _SCHEMA, related_request_id=ctx.request_id)
        except MCPError:
            # A host that said it can ask, and then cannot, has not agreed.
            return False
        return _agreed(answer)

    return ask


def _agreed(answer: mcp_types.ElicitResult) -> bool:
    return answer.action == "accept" and (answer.content or {}).get(_FIELD) is True
