"""How hosts open sessions, what the SDK says to that, and what of it is prepared for the start."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from or_mcp.host.instructions import INSTRUCTIONS, instructions
from or_mcp.server import Program
from or_mcp.settings import TOOL_NAMES, Settings, read_settings
from or_mcp.starting.starter import Begun
from or_mcp.stdio import open_pipes

CLIENT = {"name": "test", "version": "1"}
VERSIONS = {"initialize": HANDSHAKE_PROTOCOL_VERSIONS, "server/discover": MODERN_PROTOCOL_VERSIONS}
Json = dict[str, Any]


def opening(version: str, client: Mapping[str, Any] = CLIENT, capabilities: Mapping[str, Any] | None = None) -> Json:
    """The request with which a host of this version opens a session."""
    if version in MODERN_PROTOCOL_VERSIONS:
        return request(0, "server/discover", version, client, capabilities)
    told = {"protocolVersion": version, "capabilities": capabilities or {}, "clientInfo": client}
    return {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": told}


def request(
    number: int,
    method: str,
    version: str,
    client: Mapping[str, Any] = CLIENT,
    capabilities: Mapping[str, Any] | None = None,
    **params: Any,
) -> Json:
    """A request of a session that is open."""
    prefix = "io.modelcontextprotocol/"
    told = {"protocolVersion": version, "clientInfo": client, "clientCapabilities": capabilities or {}}
    if version in MODERN_PROTOCOL_VERSIONS:
        params["_meta"] = {f"{prefix}{name}": value for name, value in told.items()}
    message: Json = {"jsonrpc": "2.0", "id": number, "method": method}
    return message | {"params": params} if params else message


def said(settings: Settings, messages: Sequence[Any]) -> list[Json]:
    """What the SDK says to messages, in its own order."""
    heard_from, host = os.pipe()
    heard_by_host, told_to = os.pipe()
    os.write(host, b"".join(json.dumps(message).encode() + b"\n" for message in messages))
    os.close(host)
    program = Program(settings)

    async def serve() -> None:
        async with open_pipes(heard_from, told_to, program.leave, Begun()) as (incoming, outgoing):
            with anyio.move_on_after(20):
                await program.server.run(incoming, outgoing, program.server.create_initialization_options())

    answers: list[bytes] = []

    async def listen() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve)
            while chunk := await anyio.to_thread.run_sync(os.read, heard_by_host, 1 << 20):
                answers.append(chunk)

    anyio.run(listen)
    os.close(heard_by_host)
    return [json.loads(line) for line in b"".join(answers).splitlines()]


def prepared() -> str:
    """What a start answers with, as the SDK says it of all tools; each tool stands on a line."""
    with tempfile.TemporaryDirectory() as data:
        settings = read_settings({"HOME": data, "OR_MCP_DATA_DIR": data, "OPENROUTER_BASE_URL": "http://127.0.0.1:9"})
        told = {method: _told(settings, versions[-1]) for method, versions in VERSIONS.items()}
    lists = {method: listed for method, (_, listed) in told.items()}
    (tools, *_) = [listed.pop("tools") for listed in lists.values()]
    lines_of = {name: instructions([name]).split("\n") for name in TOOL_NAMES}
    about = [([name for name in TOOL_NAMES if line in lines_of[name]], line) for line in INSTRUCTIONS.split("\n")]
    parts = {
        "versions": VERSIONS,
        "openings": {method: greeting | {"instructions": ""} for method, (greeting, _) in told.items()},
        "lists": lists,
        # By the tools that a line is about; one that is about all is told with any.
        "instructions": about,
    }
    lines = [f"{json.dumps(name)}: {json.dumps(part, ensure_ascii=False)}" for name, part in parts.items()]
    each = [f"{json.dumps(tool['name'])}: {json.dumps(tool, ensure_ascii=False)}" for tool in tools]
    return "{\n" + ",\n".join([*lines, '"tools": {\n' + ",\n".join(each) + "\n}"]) + "\n}\n"


def _told(settings: Settings, version: str) -> tuple[Json, Json]:
    first, second = said(settings, [opening(version), request(1, "tools/list", version)])
    return first["result"], second["result"]
