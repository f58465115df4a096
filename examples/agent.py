"""An agent on pydantic-ai whose model may ask a panel; OpenRouter serves both, and one key pays.

python agent.py "Tabs or spaces? Ask a panel if it is worth it."
"""

import asyncio
import os
import shlex
import sys

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

COMMAND, *ARGUMENTS = shlex.split(os.environ.get("OR_MCP", "uvx or-mcp"))
URL = os.environ.get("OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1")
MODEL = os.environ.get("AGENT_MODEL", "openai/gpt-5-mini")

# Three tools are enough here, and no call may cost more than a dollar, whatever the model asks for.
limits = {"OR_MCP_TOOLS": "fuse,ask,run", "OR_MCP_MAX_COST_PER_CALL_USD": "1"}
openrouter = MCPToolset(StdioTransport(COMMAND, ARGUMENTS, env={**os.environ, **limits}), include_instructions=True)
model = OpenAIChatModel(MODEL, provider=OpenAIProvider(URL, api_key=os.environ["OPENROUTER_API_KEY"]))
agent = Agent(model, toolsets=[openrouter], instructions="Ask the panel where a wrong answer would be dear.")


async def main(question):
    result = await agent.run(question)
    for message in result.all_messages():
        for part in message.parts:
            if part.part_kind == "tool-call":
                print(f"  called {part.tool_name}({part.args})", file=sys.stderr)
    print(result.output)


asyncio.run(main(" ".join(sys.argv[1:]) or "Tabs or spaces? Ask a panel if it is worth it."))
