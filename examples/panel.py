"""Ask a panel through the plain MCP client, watch it work, and read what came of it as data.

python panel.py "Monolith or microservices?"
"""

import asyncio
import os
import shlex
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

COMMAND, *ARGUMENTS = shlex.split(os.environ.get("OR_MCP", "uvx or-mcp"))
# A client passes on only a few variables by itself.
SERVER = StdioServerParameters(command=COMMAND, args=ARGUMENTS, env=dict(os.environ))


async def show_progress(progress, total, message):
    print(f"  {message}", file=sys.stderr)


async def called(session, tool, arguments):
    """The data of one call; what was refused says why and what to do next."""
    answer = await session.call_tool(tool, arguments, progress_callback=show_progress)
    # By the protocol's own names, which are the same in every version of the client.
    told = answer.model_dump(by_alias=True)
    if told["isError"]:
        raise SystemExit(told["content"][0]["text"])
    return told["structuredContent"]


async def main(question):
    async with stdio_client(SERVER) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        run = await called(session, "fuse", {"prompt": question, "max_cost_usd": 1})
        # A long panel outlasts a call: the run goes on, and is read by its id, also tomorrow.
        while run["status"] == "running":
            run = await called(session, "run", {"run_id": run["run_id"], "wait_seconds": 45})

    print(run["answer"])
    for row in (run.get("analysis") or {}).get("contradictions") or []:
        print(f"\nThey disagree on {row['topic']}:")
        for stance in row.get("stances", []):
            print(f"  {stance['model']}: {stance['stance']}")
    print(f"\n{run['run_id']}: {run.get('outcome', run['status'])}, ${run['cost_usd']}")


asyncio.run(main(" ".join(sys.argv[1:]) or "Monolith or microservices for a team of five?"))
