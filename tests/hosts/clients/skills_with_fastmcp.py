"""A program on fastmcp: reads every skill, and prints their names as JSON. Runs in an environment of its own."""

import asyncio
import json
import os
import sys

from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.skills.client import SkillsClientExtension

command, *arguments = sys.argv[1:]


async def main():
    transport = StdioTransport(command, arguments, env=dict(os.environ))
    async with Client(transport, extensions=[SkillsClientExtension()]) as client:
        listed = await client.list_skills()
        # Each file's digest and size are checked, and that what the skill says of itself is what was listed.
        read = [(await client.read_skill(each.uri)).name for each in listed]
    print(json.dumps(read))


asyncio.run(main())
