"""An agent on openai-agents whose model makes a tour, given as JSON; prints what that model was shown as JSON."""

import asyncio
import json
import os
import sys

from agents import Agent, Model, ModelResponse, Runner, Usage
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

tour = json.loads(sys.argv[1])
seen = {"tools": [], "answers": []}


class Scripted(Model):
    async def get_response(self, **turn):
        seen["tools"] = [{"name": tool.name, "inputSchema": tool.params_json_schema} for tool in turn["tools"]]
        outputs = [item["output"] for item in turn["input"] if not isinstance(item, str) and "output" in item]
        seen["answers"] = [{"shown": text(output)} for output in outputs]
        return ModelResponse([say(len(outputs))], Usage(), None)

    def stream_response(self, *others, **more):
        raise NotImplementedError


def text(output):
    return output if isinstance(output, str) else "\n".join(part["text"] for part in output)


def say(number):
    if number == len(tour["calls"]):
        said = ResponseOutputText(type="output_text", text="done", annotations=[])
        return ResponseOutputMessage(id="m", type="message", role="assistant", status="completed", content=[said])
    name, given = tour["calls"][number]
    call = {"call_id": f"call_{number}", "name": name, "arguments": json.dumps(given)}
    return ResponseFunctionToolCall(type="function_call", **call)


def server():
    if tour["url"]:
        return MCPServerStreamableHttp({"url": tour["url"]}, client_session_timeout_seconds=60)
    command, *arguments = tour["command"]
    params = {"command": command, "args": arguments, "env": dict(os.environ)}
    return MCPServerStdio(params, client_session_timeout_seconds=60)


async def main():
    async with server() as openrouter:
        await Runner.run(Agent("agent", model=Scripted(), mcp_servers=[openrouter]), "go")
    print(json.dumps(seen))


asyncio.run(main())
