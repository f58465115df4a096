"""Where a call comes in and its answer goes out: the one place that turns failures into text."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import mcp_types

from or_mcp.calls.arguments import read_arguments
from or_mcp.calls.call import Call, NeedsHost
from or_mcp.calls.choosing import suggest_only_allowed
from or_mcp.calls.explain import explain
from or_mcp.calls.left_behind import left_behind
from or_mcp.calls.reply import to_result
from or_mcp.calls.tool import AnyTool
from or_mcp.catalogue.closest import similar
from or_mcp.openrouter.errors import Failure, InvalidRequest, shorten
from or_mcp.runs.endings import Crash

logger = logging.getLogger(__name__)


async def answer(
    tools: Mapping[str, AnyTool], name: str, given: Mapping[str, Any], call: Call
) -> mcp_types.CallToolResult:
    """Call a tool: its answer, or what went wrong in words that help.

    Raises:
        NeedsHost: The host must tell something first.
    """
    try:
        tool = _find(tools, name)
        reply = await tool.handle(read_arguments(tool.arguments, given), call)
        first = await left_behind(call, getattr(reply.structured, "run_id", None))
        return to_result(reply, first, is_structured=call.is_structured)
    except NeedsHost:
        raise
    except Failure as failure:
        await suggest_only_allowed(failure, call)
        return explain(failure, afar=call.caller.afar)
    except Exception:
        logger.exception("%s crashed", name)
        return explain(Crash("or-mcp itself failed"), afar=call.caller.afar)


def _find(tools: Mapping[str, AnyTool], name: str) -> AnyTool:
    if name in tools:
        return tools[name]
    close = similar(name, tools)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(tools)}"
    raise InvalidRequest(f"There is no tool {shorten(name, 60)!r}: {hint}")
