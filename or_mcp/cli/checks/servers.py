"""Whether each MCP server that a model may be lent starts, and what it offers."""

from __future__ import annotations

import os
from collections.abc import Sequence

import anyio

from or_mcp.cli.checks.finding import Finding, failed, passed
from or_mcp.servers.file import Server
from or_mcp.servers.sessions import Sessions
from or_mcp.servers.trouble import ServerTrouble


def servers(named: Sequence[Server]) -> list[Finding]:
    """A line for each."""
    return anyio.run(_all, named)


async def _all(named: Sequence[Server]) -> list[Finding]:
    found: dict[str, Finding] = {}

    async def look(server: Server) -> None:
        found[server.name] = await _one(server)

    async with anyio.create_task_group() as group:
        for server in named:
            group.start_soon(look, server)
    return [found[server.name] for server in named]


async def _one(server: Server) -> Finding:
    try:
        async with Sessions.running([server]) as sessions:
            tools = await (await sessions.of(server.name)).tools()
    except ServerTrouble as trouble:
        return failed("server", trouble.message, f"mend {server.name!r} in {os.environ['OR_MCP_SERVERS']}")
    denied = [tool for tool in tools if server.denies(tool.name)]
    free = [tool for tool in tools if server.allows(tool.name) and tool not in denied]
    return passed("server", f"{server.name}: {len(tools)} tools, {len(free)} allowed, {len(denied)} denied")
