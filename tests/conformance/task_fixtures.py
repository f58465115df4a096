"""The tools of the conformance scenarios for tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import mcp_types
from mcp import MCPError

from or_mcp.calls.arguments import Arguments
from or_mcp.calls.call import Call
from or_mcp.calls.reply import Answer, Reply
from or_mcp.calls.tool import AnyTool, Tool
from or_mcp.openrouter.errors import UpstreamFailed
from or_mcp.server import Program
from or_mcp.tasks.declared import require_declared
from or_mcp.tasks.ongoing import CallResult

ONLY_AS_TASKS = frozenset({"failing_job", "test_tool_with_task"})


class Anything(Arguments):
    name: str = ""
    label: str = ""
    filename: str = ""
    seconds: float = 0


class Said(Answer):
    said: str


def said(text: str) -> Reply:
    return Reply(text, Said(said=text))


async def lasts(call: Call, seconds: float) -> None:
    if call.lasting is not None:
        call.lasting.began(call.lasting.run_id)
    await anyio.sleep(seconds)


async def greet(given: Anything, call: Call) -> Reply:
    del call
    return said(f"Hello, {given.name}!")


async def slow_compute(given: Anything, call: Call) -> Reply:
    await lasts(call, given.seconds)
    return said(f"computed {given.label}")


async def failing_job(given: Anything, call: Call) -> Reply:
    del given
    await lasts(call, 1)
    raise UpstreamFailed("It always fails")


async def protocol_error_job(given: Anything, call: Call) -> Reply:
    del given, call
    raise NotImplementedError


async def confirm_delete(given: Anything, call: Call) -> Reply:
    assert call.ask is not None
    return said(f"{given.filename} deleted: {bool(await call.ask('Delete it?'))}")


async def multi_input(given: Anything, call: Call) -> Reply:
    del given

    async def ask(question: str) -> None:
        assert call.ask is not None
        await call.ask(question)

    async with anyio.create_task_group() as group:
        group.start_soon(ask, "The first?")
        group.start_soon(ask, "The second?")
    return said("asked twice")


async def test_tool_with_task(given: Anything, call: Call) -> Reply:
    await lasts(call, 0.5)
    return said(f"Hello, {given.name}!")


HANDLERS = (greet, slow_compute, failing_job, protocol_error_job, confirm_delete, multi_input, test_tool_with_task)


def fixture(handle: Any) -> AnyTool:
    name: str = handle.__name__
    return Tool(name, name, "read", "For conformance.", Anything, Said, handle)


FIXTURES: Mapping[str, AnyTool] = {handle.__name__: fixture(handle) for handle in HANDLERS}


class TaskProgram(Program):
    """The program, with these beside its own tools."""

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self.tools = {**self.tools, **FIXTURES}
        self._listed = [tool.listed() for tool in self.tools.values()]
        self.tasks.tools |= FIXTURES.keys() - {"greet"}

    async def _call_tool(self, ctx: Any, params: mcp_types.CallToolRequestParams) -> Any:
        if params.name in ONLY_AS_TASKS:
            require_declared(ctx)
        return await super()._call_tool(ctx, params)

    async def _answer(self, params: mcp_types.CallToolRequestParams, call: Call) -> CallResult:
        if params.name == "protocol_error_job":
            await lasts(call, 0.5)
            raise MCPError(code=mcp_types.INTERNAL_ERROR, message="a protocol error")
        if params.name == "test_tool_with_task":
            name = (params.input_responses or {}).get("user_name")
            if not isinstance(name, mcp_types.ElicitResult):
                return ask_for_a_name()
            params = params.model_copy(update={"arguments": {"name": (name.content or {}).get("name", "")}})
        return await super()._answer(params, call)


def ask_for_a_name() -> mcp_types.InputRequiredResult:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    asked = mcp_types.ElicitRequestFormParams(message="Who?", requested_schema=schema)
    return mcp_types.InputRequiredResult(
        input_requests={"user_name": mcp_types.ElicitRequest(params=asked)}, request_state="asked"
    )
