"""The floor: one tool on the SDK's `MCPServer`, written as its documentation would have it, with our HTTP client.

`python -m bench.floor` serves stdio; `python -m bench.floor serve --http --port N` serves Streamable HTTP.
"""

import json
import os
import sys
from functools import cache

import httpx2
from mcp.server.mcpserver import MCPServer

server = MCPServer("floor", log_level="WARNING")


@cache
def client() -> httpx2.AsyncClient:
    """One pool for every call, built at the first: building it costs 50 ms that a start need not wait for."""
    return httpx2.AsyncClient(
        base_url=os.environ["OPENROUTER_BASE_URL"],
        headers={"Authorization": f"Bearer {os.environ['OPENROUTER_API_KEY']}"},
        timeout=httpx2.Timeout(60, pool=None),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=128),
    )


@server.tool()
async def ask(model: str, prompt: str) -> str:
    """Ask one model."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "stream": True}
    text: list[str] = []
    async with client().stream("POST", "/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if not line.startswith("data: ") or line == "data: [DONE]":
                continue
            choices = json.loads(line[6:])["choices"]
            text += [choice["delta"].get("content") or "" for choice in choices]
    return "".join(text)


if __name__ == "__main__":
    if "--http" in sys.argv:
        server.run("streamable-http", port=int(sys.argv[-1]))
    else:
        server.run()
