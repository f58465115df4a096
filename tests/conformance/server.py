"""The real program in the real app, with the conformance scenarios' fixtures beside its own: `PORT` is its argument."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types
import uvicorn
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, PromptsListChanged, ToolsListChanged
from mcp_types import CallToolRequestParams, CallToolResult, InputRequiredResult

from or_mcp.http_app import build_app
from or_mcp.settings import read_settings
from or_mcp.web.metrics import Metrics
from tests.conformance import reading
from tests.conformance.content import CONTENT_TOOLS, PLAIN_SCHEMA, SCHEMAS, Context, said
from tests.conformance.rounds import ROUND_TOOLS
from tests.conformance.task_fixtures import TaskProgram

Handle = Callable[[Context, CallToolRequestParams], Awaitable[CallToolResult | InputRequiredResult]]
TOOLS: dict[str, Handle] = {handle.__name__: handle for handle in (*CONTENT_TOOLS, *ROUND_TOOLS)}


class FixtureProgram(TaskProgram):
    """The program: what is not a fixture is answered by its own handlers."""

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self._bus = InMemorySubscriptionBus()
        self.raw = TOOLS | {
            "test_trigger_tool_change": self._announce(ToolsListChanged()),
            "test_trigger_prompt_change": self._announce(PromptsListChanged()),
        }
        schemas = {name: SCHEMAS.get(name, PLAIN_SCHEMA) for name in self.raw}
        fixtures = [
            mcp_types.Tool(name=name, description="Conformance.", input_schema=schemas[name]) for name in schemas
        ]
        self._listed = [*self._listed, *fixtures]
        add = self.server.add_request_handler
        add("subscriptions/listen", mcp_types.SubscriptionsListenRequestParams, ListenHandler(self._bus))
        add("logging/setLevel", mcp_types.SetLevelRequestParams, _accept)
        add("resources/subscribe", mcp_types.SubscribeRequestParams, _accept)
        add("resources/unsubscribe", mcp_types.UnsubscribeRequestParams, _accept)

    def _announce(self, event: Any) -> Handle:
        async def announce(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
            del ctx, params
            await self._bus.publish(event)
            return said("announced")

        return announce

    async def _call_tool(self, ctx: Any, params: CallToolRequestParams) -> Any:
        fixture = self.raw.get(params.name)
        return await (fixture(ctx, params) if fixture else super()._call_tool(ctx, params))

    async def _list_resources(self, ctx: Any, params: object) -> mcp_types.ListResourcesResult:
        ours = await super()._list_resources(ctx, params)
        return ours.model_copy(update={"resources": [*ours.resources, *reading.RESOURCES]})

    async def _list_templates(self, ctx: Any, params: object) -> mcp_types.ListResourceTemplatesResult:
        ours = await super()._list_templates(ctx, params)
        return ours.model_copy(update={"resource_templates": [*ours.resource_templates, *reading.TEMPLATES]})

    async def _read_resource(
        self, ctx: Any, params: mcp_types.ReadResourceRequestParams
    ) -> mcp_types.ReadResourceResult:
        found = reading.read(params.uri)
        if found is None:
            return await super()._read_resource(ctx, params)
        return mcp_types.ReadResourceResult(contents=[found])

    async def _list_prompts(self, ctx: Any, params: object) -> mcp_types.ListPromptsResult:
        ours = await super()._list_prompts(ctx, params)
        return ours.model_copy(update={"prompts": [*ours.prompts, *reading.PROMPTS]})

    async def _get_prompt(self, ctx: Any, params: mcp_types.GetPromptRequestParams) -> Any:
        return reading.get(params) or await super()._get_prompt(ctx, params)


async def _accept(ctx: Context, params: object) -> mcp_types.EmptyResult:
    del ctx, params
    return mcp_types.EmptyResult()


if __name__ == "__main__":
    uvicorn.run(
        build_app(FixtureProgram(read_settings(os.environ)), Metrics()), port=int(sys.argv[1]), log_level="error"
    )
