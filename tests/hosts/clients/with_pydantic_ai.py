"""An agent on pydantic-ai whose model makes a tour, given as JSON; prints what that model was shown as JSON."""

import asyncio
import json
import os
import sys

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel

tour = json.loads(sys.argv[1])
seen = {"tools": [], "answers": [], "instructions": ""}


def model(messages, info):
    seen["tools"] = [{"name": tool.name, "inputSchema": tool.parameters_json_schema} for tool in info.function_tools]
    seen["instructions"] = info.instructions
    outputs = [
        part for message in messages for part in message.parts if part.part_kind in ("tool-return", "retry-prompt")
    ]
    seen["answers"] = [
        {"shown": part.model_response() if part.part_kind == "retry-prompt" else part.model_response_str()}
        for part in outputs
    ]
    if len(outputs) == len(tour["calls"]):
        return ModelResponse([TextPart("done")])
    name, given = tour["calls"][len(outputs)]
    return ModelResponse([ToolCallPart(name, given)])


def client():
    if tour["url"]:
        return tour["url"]
    command, *arguments = tour["command"]
    return StdioTransport(command, arguments, env=dict(os.environ))


async def main():
    agent = Agent(FunctionModel(model), toolsets=[MCPToolset(client(), include_instructions=True)])
    await agent.run("go")
    print(json.dumps(seen))


asyncio.run(main())
