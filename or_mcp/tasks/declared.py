"""Which hosts have tasks, and what their requests about one must hold."""

from __future__ import annotations

from typing import Any

import mcp_types
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from or_mcp.calls.call import Served
from or_mcp.tasks.wire import EXTENSION

Context = ServerRequestContext[Served, Any]


def is_declared(ctx: Context) -> bool:
    """Whether this request's host has the extension."""
    capabilities = ctx.session.client_capabilities
    declared = capabilities.extensions if capabilities is not None else None
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and EXTENSION in (declared or {})


def require_declared(ctx: Context) -> None:
    """What only a host with the extension may ask.

    Raises:
        MCPError: This one has not declared it.
    """
    if not is_declared(ctx):
        raise MCPError(
            code=mcp_types.MISSING_REQUIRED_CLIENT_CAPABILITY,
            message="Missing required client capability",
            data={"requiredCapabilities": {"extensions": {EXTENSION: {}}}},
        )


def check_request(ctx: Context, task_id: str) -> None:
    """Whether a host may ask about a task at all, and has named the same one to whoever routes its request.

    Raises:
        MCPError: It may not, or the header names another.
    """
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        raise MCPError(code=mcp_types.METHOD_NOT_FOUND, message=f"Method not found: {ctx.method}")
    require_declared(ctx)
    if ctx.request is not None and decode_header_value(ctx.request.headers.get(MCP_NAME_HEADER)) != task_id:
        message = f"{MCP_NAME_HEADER} header does not match the request body's 'taskId' parameter"
        raise MCPError(code=mcp_types.HEADER_MISMATCH, message=message)
