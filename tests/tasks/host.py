"""A host that declares the Tasks extension, through the SDK's own client."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client.extension import advertise
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult, Request
from pydantic import BaseModel, ConfigDict

from or_mcp.tasks.wire import EXTENSION
from tests.conftest import Connect

Reply = dict[str, Any]
TERMINAL = ("completed", "failed", "cancelled")


class AnyReply(BaseModel):
    """A reply as it is on the wire."""

    model_config = ConfigDict(extra="allow")


class AnyRequest(Request[dict[str, Any], str]):
    """A request the SDK's client has no method for."""


class TaskRequest(AnyRequest):
    """A request about a task, which HTTP routes by its id."""

    name_param: ClassVar[str | None] = "taskId"


class Host:
    """A host with tasks: requests as they are, replies as they come."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, tool: str, arguments: dict[str, Any]) -> Reply:
        """A tool call: its result, or the task it has become."""
        return await self.send(AnyRequest(method="tools/call", params={"name": tool, "arguments": arguments}))

    async def get(self, task_id: str) -> Reply:
        return await self._about("tasks/get", task_id)

    async def answer(self, task_id: str, **responses: Any) -> Reply:
        return await self._about("tasks/update", task_id, inputResponses=responses)

    async def cancel(self, task_id: str) -> Reply:
        return await self._about("tasks/cancel", task_id)

    async def until(self, task_id: str, *statuses: str) -> Reply:
        """The task, once it stands so."""
        with anyio.fail_after(120):
            while True:
                task = await self.get(task_id)
                if task["status"] in (statuses or TERMINAL):
                    return task
                await anyio.sleep(0.05)

    async def _about(self, method: str, task_id: str, **more: Any) -> Reply:
        return await self.send(TaskRequest(method=method, params={"taskId": task_id, **more}))

    async def send(self, request: AnyRequest) -> Reply:
        """A request as it is."""
        return (await self.client.session.send_request(request, AnyReply)).model_dump()


def connect_host(connect: Connect, *, asks: bool = False, **settings: str) -> AbstractAsyncContextManager[Host]:
    """A host with tasks, connected; `asks` when it can ask its user."""

    async def never(context: Any, params: Any) -> ElicitResult:
        raise AssertionError(f"asked outside the task: {context} {params}")

    options: dict[str, Any] = {"extensions": [advertise(EXTENSION)]}
    if asks:
        options["elicitation_callback"] = never

    @asynccontextmanager
    async def connected() -> AsyncGenerator[Host]:
        async with connect(client=options, **settings) as client:
            yield Host(client)

    return connected()


@asynccontextmanager
async def over_http(root: str, bearer: str) -> AsyncGenerator[Host]:
    """A host with tasks, over HTTP."""
    headers = {"Authorization": f"Bearer {bearer}"}
    async with httpx2.AsyncClient(headers=headers, timeout=120) as http:
        transport = streamable_http_client(f"{root}/mcp", http_client=http)
        async with Client(transport, extensions=[advertise(EXTENSION)]) as client:
            yield Host(client)


async def refusal(awaitable: Any) -> tuple[int, str]:
    """How a request was refused."""
    try:
        reply = await awaitable
    except MCPError as error:
        return error.error.code, error.error.message
    raise AssertionError(f"it was answered: {reply}")


def words(result: Reply) -> str:
    """The text of a tool's result."""
    return result["content"][0]["text"]
