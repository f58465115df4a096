"""A framework's own way to MCP, named first, on a tour given as JSON; prints what it hands on as JSON."""

import asyncio
import json
import os
import re
import sys

name, tour = sys.argv[1], json.loads(sys.argv[2])
command, *arguments = tour["command"]
env = dict(os.environ)
# What nobody has set is what most users have.
by_default = "prompt" in tour
MOST_CALLS = 60


def limit(name):
    return {} if by_default else {name: 60}


def outcome(text, failed=False):
    return {"shown": text, "failed": failed}


async def langchain():
    from langchain_mcp_adapters.client import MultiServerMCPClient
    from langchain_mcp_adapters.tools import load_mcp_tools

    over_http = {"transport": "streamable_http", "url": tour["url"]}
    over_stdio = {"transport": "stdio", "command": command, "args": arguments, "env": env}
    client = MultiServerMCPClient({"openrouter": over_http if tour["url"] else over_stdio})

    async def use(found):
        tools = {tool.name: tool for tool in found}

        async def call(tool, given):
            answer = await tools[tool].ainvoke({"type": "tool_call", "id": "1", "name": tool, "args": given})
            text = answer.content if isinstance(answer.content, str) else answer.content[0]["text"]
            return outcome(text, answer.status == "error")

        return list(tools), await taken(call)

    if by_default:
        # A process for each call.
        return await use(await client.get_tools())
    async with client.session("openrouter") as session:
        return await use(await load_mcp_tools(session))


async def llama_index():
    from llama_index.tools.mcp import BasicMCPClient, McpToolSpec

    client = BasicMCPClient(tour["url"] or command, args=arguments, env=env, **limit("timeout"))
    tools = {tool.metadata.name: tool for tool in await McpToolSpec(client).to_tool_list_async()}

    async def call(tool, given):
        answer = await tools[tool].acall(**given)
        return outcome(answer.raw_output.content[0].text, bool(answer.raw_output.isError))

    return list(tools), await taken(call)


async def google_adk():
    from google.adk.tools.mcp_tool import McpToolset, StdioConnectionParams, StreamableHTTPConnectionParams
    from mcp import StdioServerParameters

    server = StdioServerParameters(command=command, args=arguments, env=env)
    over_stdio = StdioConnectionParams(server_params=server, **limit("timeout"))
    over_http = StreamableHTTPConnectionParams(url=tour["url"], timeout=60)
    toolset = McpToolset(connection_params=over_http if tour["url"] else over_stdio)
    try:
        tools = {tool.name: tool for tool in await connected(toolset)}

        async def call(tool, given):
            session = await toolset._mcp_session_manager.create_session()
            answer = await session.call_tool(tool, given)
            return outcome(answer.content[0].text, bool(answer.isError))

        return list(tools), await taken(call)
    finally:
        await toolset.close()


async def connected(toolset):
    # It waits five seconds for programs to start, which on a busy machine is not enough for any.
    for _ in range(10):
        try:
            return await toolset.get_tools()
        except ConnectionError:
            continue
    return []


async def autogen():
    from autogen_core import CancellationToken
    from autogen_ext.tools.mcp import McpWorkbench, StdioServerParams, StreamableHttpServerParams

    over_stdio = StdioServerParams(command=command, args=arguments, env=env, **limit("read_timeout_seconds"))
    over_http = StreamableHttpServerParams(url=tour["url"], timeout=60)
    async with McpWorkbench(over_http if tour["url"] else over_stdio) as bench:
        names = [tool["name"] for tool in await bench.list_tools()]

        async def call(tool, given):
            answer = await bench.call_tool(tool, given, CancellationToken())
            return outcome(answer.to_text(), answer.is_error)

        return names, await taken(call)


async def haystack():
    from haystack_integrations.tools.mcp import MCPToolset, StdioServerInfo, StreamableHttpServerInfo

    over_stdio = StdioServerInfo(command=command, args=arguments, env=env)
    server = StreamableHttpServerInfo(url=tour["url"]) if tour["url"] else over_stdio

    def use():
        toolset = MCPToolset(server, eager_connect=True, **limit("connection_timeout"), **limit("invocation_timeout"))
        try:
            tools = {tool.name: tool for tool in toolset}

            def call(tool, given):
                try:
                    told = json.loads(tools[tool].invoke(**given))
                    return outcome(told["content"][0]["text"], told["isError"])
                except Exception as error:
                    return outcome(str(error), failed=True)

            async def told(tool, given):
                return call(tool, given)

            return list(tools), asyncio.run(taken(told))
        finally:
            toolset.close()

    return await asyncio.to_thread(use)


async def agno():
    from agno.tools.mcp import MCPTools, StreamableHTTPClientParams
    from mcp import StdioServerParameters

    server = StdioServerParameters(command=command, args=arguments, env=env)
    over_http = {"transport": "streamable-http", "server_params": StreamableHTTPClientParams(url=tour["url"])}
    way = over_http if tour["url"] else {"transport": "stdio", "server_params": server}
    async with MCPTools(**way, **limit("timeout_seconds")) as toolkit:

        async def call(tool, given):
            answer = await toolkit.functions[tool].entrypoint(**given)
            return outcome(answer.content)

        return list(toolkit.functions), await taken(call)


async def taken(call):
    if by_default:
        return await to_its_end(call, tour["prompt"])
    return [await tried(call, *each) for each in tour["calls"]]


async def to_its_end(call, prompt):
    """What a model does: where the time was up it asks again, and where it is told to call `run` it does."""
    tool, given = "fuse", {"prompt": prompt, "web": False}
    answers = []
    while len(answers) < MOST_CALLS:
        answers.append(await tried(call, tool, given))
        # Some hand on that the time was up as if it were the answer.
        if answers[-1]["failed"] or " timed out" in answers[-1]["shown"]:
            continue
        if "still running" not in answers[-1]["shown"].lower():
            break
        tool, given = "run", {"run_id": re.search(r"run_\w+", answers[-1]["shown"])[0], "wait_seconds": 60}
    return answers


async def tried(call, tool, given):
    try:
        return await call(tool, given)
    except Exception as error:
        return outcome(str(error), failed=True)


tools, answers = asyncio.run(globals()[name]())
print(json.dumps({"tools": [{"name": tool} for tool in tools], "answers": answers}))
