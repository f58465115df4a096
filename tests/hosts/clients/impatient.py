"""A program on the Python SDK 2 that waits no longer than its limit, and asks a question given as JSON to its end."""

import asyncio
import json
import os
import re
import sys

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

asked = json.loads(sys.argv[1])
command, *arguments = asked["command"]


async def main():
    server = StdioServerParameters(command=command, args=arguments, env=dict(os.environ))
    answers = []
    async with Client(stdio_client(server)) as client:
        tools = [{"name": tool.name} for tool in (await client.list_tools()).tools]
        tool, given = "fuse", {"prompt": asked["prompt"], "web": False}
        while len(answers) < 60:
            try:
                answer = await client.call_tool(tool, given, read_timeout_seconds=asked["limit"])
                answers.append({"shown": answer.content[0].text, "failed": bool(answer.is_error)})
            except Exception as error:
                answers.append({"shown": str(error), "failed": True})
            if answers[-1]["failed"]:
                continue
            if "still running" not in answers[-1]["shown"].lower():
                break
            tool, given = "run", {"run_id": re.search(r"run_\w+", answers[-1]["shown"])[0], "wait_seconds": 60}
    print(json.dumps({"tools": tools, "answers": answers}))


asyncio.run(main())
