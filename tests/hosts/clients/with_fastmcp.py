"""A program on fastmcp: takes a tour as JSON, prints what came back as JSON. Runs in an environment of its own."""

import asyncio
import json
import os
import sys

from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport

tour = json.loads(sys.argv[1])


def transport():
    if tour["url"]:
        return StreamableHttpTransport(tour["url"])
    command, *arguments = tour["command"]
    return StdioTransport(command, arguments, env=dict(os.environ))


async def main():
    progress = []
    answers = []

    async def tell(done, total, message):
        progress.append(message)

    async with Client(transport(), progress_handler=tell) as client:
        tools = [tool.model_dump(mode="json", by_alias=True) for tool in await client.list_tools()]
        for name, given in tour["calls"]:
            answer = await client.call_tool(name, given, raise_on_error=False)
            structured = answer.structured_content
            answers.append({"text": answer.content[0].text, "structured": structured, "failed": answer.is_error})
        told = {"protocol": client.protocol_version, "instructions": client.instructions}
    print(json.dumps({**told, "tools": tools, "answers": answers, "progress": progress}))


asyncio.run(main())
