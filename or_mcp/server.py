"""The program, put together: settings, parts, tools, server. Read it from top to bottom."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import anyio
import mcp_types
from mcp import MCPError
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.runner import serve_dual_era_loop
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER

from or_mcp import __version__
from or_mcp.calls.boundary import answer
from or_mcp.calls.call import FOR_VIEW, Call, NeedsHost, Parts, Served
from or_mcp.calls.caller import AT_THE_DOOR, Caller
from or_mcp.calls.choosing import suggest_only_allowed
from or_mcp.calls.explain import sentence
from or_mcp.calls.shape import Shape
from or_mcp.calls.tool import AnyTool
from or_mcp.host import prompts, resources
from or_mcp.host.completion import complete
from or_mcp.host.instructions import instructions
from or_mcp.host.questions import Told, asker, opener, question_result
from or_mcp.host.skills import Skills
from or_mcp.identity import IDENTITY
from or_mcp.openrouter.errors import CallerCanAct, Failure, shorten
from or_mcp.operator import check_budget_is_kept, sealing_secret
from or_mcp.parts import NOBODY, Watchers, parts_of, under, warm_up
from or_mcp.runs.apart import apart
from or_mcp.runs.session import Session, Sessions, Waiter
from or_mcp.settings import Settings
from or_mcp.tasks.extension import Tasks
from or_mcp.tasks.ongoing import CallResult
from or_mcp.tasks.wire import CreatedTask
from or_mcp.tools import Tools, at_hand

NAME = "openrouter"
TITLE = "OpenRouter"

UI_EXTENSION = "io.modelcontextprotocol/ui"

Context = ServerRequestContext[Served, Any]


class Program:
    """One process of or-mcp: its server, and the parts while it runs.

    It is `alone` when nothing that a host asks of it can reach another process instead.
    """

    def __init__(
        self, settings: Settings, watchers: Watchers = NOBODY, *, alone: bool = True, tasks: Tasks | None = None
    ) -> None:
        check_budget_is_kept(settings)
        self.settings = settings
        self.owner = Caller.of(settings.api_key, settings.base_url)
        self.tools: Mapping[str, AnyTool] = Tools(settings.tools, tuple(each.name for each in settings.servers))
        self.parts: Parts | None = None
        self.alone = alone
        self._watchers = watchers
        self.failure: Exception | None = None
        # Over HTTP all hosts share one lifespan.
        self._sessions = Sessions()
        self.server: Server[Served] = Server(
            NAME,
            title=TITLE,
            version=__version__,
            instructions=instructions(self.tools),
            website_url=IDENTITY.url,
            lifespan=lambda _: self._lifespan(),
            cache_hints={"tools/list": CacheHint(ttl_ms=300_000, scope="public")},
            get_tool_input_schema=self._schema,
            on_list_tools=self._list_tools,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
            on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
            on_completion=self._complete,
        )
        # The constructor knows no tool call that is answered with a task.
        self.server.add_request_handler("tools/call", mcp_types.CallToolRequestParams, self._call_tool)
        self.server.add_notification_handler(
            "notifications/cancelled", mcp_types.CancelledNotificationParams, self._cancelled
        )
        self.server.extensions[UI_EXTENSION] = {}
        self.tasks = tasks or Tasks(self._call, may_ask=alone)
        self.tasks.serve_on(self.server)
        self._skills = Skills(self.tools)
        self._skills.serve_on(self.server)
        security = RequestStateSecurity(keys=[sealing_secret(settings)])
        self.server.middleware.append(RequestStateBoundary(security, default_audience=NAME))

    @cached_property
    def _listed(self) -> Sequence[mcp_types.Tool]:
        # Most hosts have been told before this process was there.
        return [tool.listed() for tool in self.tools.values()]

    @cached_property
    def _without_structure(self) -> Sequence[mcp_types.Tool]:
        return [tool.model_copy(update={"output_schema": None}) for tool in self._listed]

    def _schema(self, name: str) -> dict[str, Any] | None:
        return next((tool.input_schema for tool in self._listed if tool.name == name), None)

    @asynccontextmanager
    async def _lifespan(self) -> AsyncGenerator[Served]:
        """Whoever serves this program may begin it more than once: it runs once."""
        if self.parts is not None:
            yield self._served(self.parts)
            return
        async with self.running() as parts:
            yield self._served(parts)

    def _served(self, parts: Parts) -> Served:
        return Served(parts, Session(), Shape(self.settings.structured))

    @asynccontextmanager
    async def running(self, *, warm: bool = True) -> AsyncGenerator[Parts]:
        """The parts, for as long as the program runs; not warm, nothing is asked of upstream unless it is needed."""
        async with parts_of(self.settings, self._watchers) as parts:
            with self._noticing_failure():
                async with anyio.create_task_group() as background:
                    async with parts.catalogue.running(background), parts.runner.running(), self.tasks.carrying():
                        parts.servers.begin(background)
                        if warm:
                            background.start_soon(apart, warm_up, parts, self.owner)
                        self.parts = parts
                        try:
                            yield parts
                        finally:
                            parts.runner.stopping = True
                            self.parts = None
                    background.cancel_scope.cancel()

    @contextmanager
    def _noticing_failure(self) -> Generator[None]:
        """Nothing may end the parts before their time; if something does, whoever serves them hears of it."""
        try:
            yield
        except Exception as error:
            self.failure = error
            if self._watchers.died is not None:
                self._watchers.died()
            raise

    def offering(self, tools: tuple[str, ...]) -> Program:
        """The same program, running as long as this one does, with other tools."""
        other = Program(replace(self.settings, tools=tools), tasks=self.tasks)
        other.parts = self.parts
        return other

    async def serve(self, settings: Settings, session: Session, incoming: Any, outgoing: Any) -> None:
        """Serve one of several sessions with what is its own; the program runs already."""
        if self.parts is None:
            raise RuntimeError("the program is not running")
        served = Served(under(self.parts, settings), session, Shape(settings.structured))
        options = self.server.create_initialization_options()
        await serve_dual_era_loop(self.server, incoming, outgoing, lifespan_state=served, init_options=options)

    def leave(self) -> None:
        """The host is going: from here on a cancelled request no longer cancels its run."""
        if self.parts is not None:
            self.parts.runner.stopping = True

    async def _list_tools(self, ctx: Context, params: object) -> mcp_types.ListToolsResult:
        del params
        await at_hand(self.tools)
        listed = self._listed if self._is_structured(ctx) else self._without_structure
        return mcp_types.ListToolsResult(tools=list(listed))

    async def _call_tool(self, ctx: Context, params: mcp_types.CallToolRequestParams) -> CallResult | CreatedTask:
        if self.tasks.take(ctx, params.name):
            return await self.tasks.call(ctx, params, partial(self._answer, params))
        told = Told.by(params)
        call = replace(self._call(ctx), ask=asker(ctx, told), roots=opener(ctx, told), again=bool(told.question))
        return await self._answer(params, call)

    async def _answer(self, params: mcp_types.CallToolRequestParams, call: Call) -> CallResult:
        await at_hand([params.name])
        try:
            return await answer(self.tools, params.name, params.arguments or {}, call)
        except NeedsHost as needed:
            return question_result(needed, Told.by(params))

    async def _list_resources(self, ctx: Context, params: object) -> mcp_types.ListResourcesResult:
        del ctx, params
        return mcp_types.ListResourcesResult(resources=[*resources.listed(), *await self._skills.resources()])

    async def _list_templates(self, ctx: Context, params: object) -> mcp_types.ListResourceTemplatesResult:
        del ctx, params
        return mcp_types.ListResourceTemplatesResult(resource_templates=resources.templates())

    async def _read_resource(
        self, ctx: Context, params: mcp_types.ReadResourceRequestParams
    ) -> mcp_types.ReadResourceResult:
        call = self._call(ctx)
        async with protocol_errors(call, {"uri": shorten(params.uri, 2_000)}):
            found = await self._skills.read(params.uri) or await resources.read(params.uri, call)
            return mcp_types.ReadResourceResult(contents=[found])

    async def _list_prompts(self, ctx: Context, params: object) -> mcp_types.ListPromptsResult:
        del ctx, params
        return mcp_types.ListPromptsResult(prompts=prompts.listed(self.tools))

    async def _get_prompt(self, ctx: Context, params: mcp_types.GetPromptRequestParams) -> mcp_types.GetPromptResult:
        async with protocol_errors(self._call(ctx)):
            return prompts.get(params.name, params.arguments or {}, self.tools)

    async def _complete(self, ctx: Context, params: mcp_types.CompleteRequestParams) -> mcp_types.CompleteResult:
        context = (params.context.arguments if params.context else None) or {}
        call = self._call(ctx)
        async with protocol_errors(call):
            found = await complete(params.argument.name, params.argument.value, context, call)
        completion = mcp_types.Completion(values=list(found.values), total=found.total, has_more=found.has_more)
        return mcp_types.CompleteResult(completion=completion)

    def _call(self, ctx: Context) -> Call:
        for_view = (ctx.meta or {}).get(FOR_VIEW) is True
        waiter = Waiter(self._session(ctx), str(ctx.request_id), *_client(ctx))
        parts, caller = ctx.lifespan_context.parts, self._caller(ctx)
        is_structured = for_view or self._is_structured(ctx)
        tell = None if (ctx.meta or {}).get("progress_token") is None else ctx.session.report_progress
        return Call(parts, caller, waiter.client, tell, for_view=for_view, is_structured=is_structured, waiter=waiter)

    def _is_structured(self, ctx: Context) -> bool:
        """Whether answers have their structured form; over HTTP all programs are served alike."""
        if ctx.request is not None:
            return self.settings.structured is not False
        return ctx.lifespan_context.shape.is_structured(_client(ctx)[0])

    async def _cancelled(self, ctx: Context, params: mcp_types.CancelledNotificationParams) -> None:
        self._session(ctx).gave_up(params.request_id, params.reason or "")

    def _session(self, ctx: Context) -> Session:
        """A host's connection; over HTTP what comes closest to one: its session, else all that one program asks."""
        if ctx.request is None:
            return ctx.lifespan_context.session
        held = ctx.request.headers.get(MCP_SESSION_ID_HEADER)
        return self._sessions.of((self._caller(ctx).id, held or _client(ctx)))

    def _caller(self, ctx: Context) -> Caller:
        if self.settings.http_auth == "none" or ctx.request is None:
            return self.owner
        return ctx.request.scope[AT_THE_DOOR]


@asynccontextmanager
async def protocol_errors(call: Call, data: dict[str, str] | None = None) -> AsyncGenerator[None]:
    """Failures where the protocol, not a tool, answers: in its own error, with the same sentence."""
    try:
        yield
    except Failure as failure:
        await suggest_only_allowed(failure, call)
        code = mcp_types.INVALID_PARAMS if isinstance(failure, CallerCanAct) else mcp_types.INTERNAL_ERROR
        raise MCPError(code=code, message=f"{failure.kind}: {sentence(failure)}", data=data) from failure


def _client(ctx: Context) -> tuple[str, str]:
    """The name and version a host gives itself; over stateless HTTP only its User-Agent is left."""
    params = ctx.session.client_params
    if params is not None:
        return params.client_info.name, params.client_info.version
    return ctx.request.headers.get("user-agent", "") if ctx.request is not None else "", ""
