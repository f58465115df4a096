"""What a host that declares the extension talks to; to every other host it does not exist."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import anyio
import mcp_types
from anyio.abc import TaskGroup
from mcp import MCPError
from mcp.server.lowlevel import Server

from or_mcp.calls.call import Ask, Call, Served
from or_mcp.calls.confirming import NeedsAnswer
from or_mcp.host.questions import Told, asker, chosen, question_result
from or_mcp.openrouter.errors import NotFound
from or_mcp.runs.record import RunRecord
from or_mcp.tasks.declared import Context, check_request, is_declared
from or_mcp.tasks.kept import kept_task
from or_mcp.tasks.ongoing import CallResult, OngoingCall, read_answer
from or_mcp.tasks.wire import EXTENSION, CreatedTask, DetailedTask, TaskParams, UpdateParams

# What is refused, or answered already, is known by then, and needs no task.
GRACE_SECONDS = 0.25
# How long a task waits for a person's answer.
QUESTION_SECONDS = 1800.0
# A run that is stopped has usually ended by then; whoever asked for it is answered in any case.
_ACKNOWLEDGE_SECONDS = 1.0


class Tasks:
    """Turns the calls of some tools into tasks, and answers what is asked about them."""

    def __init__(self, call_of: Callable[[Context], Call], *, may_ask: bool) -> None:
        self.tools = frozenset({"fuse", "ask"})
        self.question_seconds = QUESTION_SECONDS
        # A question lives in one process: where any of several may be asked about its task, it comes before the task.
        self._may_ask = may_ask
        self._call_of = call_of
        self._ongoing: dict[str, OngoingCall] = {}
        self._group: TaskGroup | None = None

    def serve_on(self, server: Server[Served]) -> None:
        """Advertise the extension and answer its methods."""
        server.extensions[EXTENSION] = {}
        server.add_request_handler("tasks/get", TaskParams, self._get)
        server.add_request_handler("tasks/update", UpdateParams, self._update)
        server.add_request_handler("tasks/cancel", TaskParams, self._cancel)

    @asynccontextmanager
    async def carrying(self) -> AsyncGenerator[None]:
        """Carry calls while this block lasts. At its end nobody waits for them here any more; their runs go on."""
        async with anyio.create_task_group() as group:
            self._group = group
            yield
            group.cancel_scope.cancel()

    def take(self, ctx: Context, tool: str) -> bool:
        """Whether a call of this tool by this host may become a task."""
        return tool in self.tools and is_declared(ctx)

    async def call(
        self, ctx: Context, params: mcp_types.CallToolRequestParams, work: Callable[[Call], Awaitable[CallResult]]
    ) -> CallResult | CreatedTask:
        """Carry a call out: its result when that is there at once, else the task it has become."""
        call = self._call_of(ctx)
        ongoing = OngoingCall(call.caller.id, self.question_seconds)
        ask = _asker(ctx, params, ongoing) if self._may_ask else asker(ctx, Told.by(params))
        call = replace(call, tell=ongoing.tell, ask=ask, lasting=ongoing)
        self._carriers.start_soon(ongoing.carry, partial(work, call))
        try:
            await ongoing.until_it_can_be_answered(GRACE_SECONDS)
        except anyio.get_cancelled_exc_class():
            ongoing.scope.cancel()
            raise
        if ongoing.done.is_set():
            return _at_once(ongoing, call)
        self._forget_old()
        self._ongoing.setdefault(ongoing.task_id, ongoing)
        return ongoing.created(call.parts.runner.kept_seconds)

    async def _get(self, ctx: Context, params: TaskParams) -> DetailedTask:
        call, ongoing = self._admit(ctx, params)
        seconds = call.parts.runner.kept_seconds
        if ongoing is not None and not ongoing.done.is_set():
            return ongoing.detailed(seconds)
        record = await _record(call, ongoing.run_id if ongoing else params.task_id)
        if ongoing is not None:
            return ongoing.detailed(seconds) if record is None else await _with_run(ongoing, record, call)
        if record is None:
            raise _not_found()
        return await kept_task(record, call)

    async def _update(self, ctx: Context, params: UpdateParams) -> mcp_types.EmptyResult:
        call, ongoing = self._admit(ctx, params)
        if ongoing is not None:
            ongoing.take_answers(params.input_responses)
        run_id = ongoing.run_id if ongoing else params.task_id
        if await _record(call, run_id) is not None:
            question = await call.parts.runner.desk.question_now(run_id)
            if question is not None and question.name in params.input_responses:
                question.answer(chosen(read_answer(params.input_responses[question.name]), question.choices))
        elif ongoing is None:
            raise _not_found()
        return mcp_types.EmptyResult()

    async def _cancel(self, ctx: Context, params: TaskParams) -> mcp_types.EmptyResult:
        call, ongoing = self._admit(ctx, params)
        record = await _record(call, ongoing.run_id if ongoing else params.task_id)
        if record is None and ongoing is None:
            raise _not_found()
        if record is None and ongoing is not None:
            ongoing.scope.cancel()
        with anyio.move_on_after(_ACKNOWLEDGE_SECONDS):
            if record is not None:
                await call.runs.cancel(record.run_id)
            if ongoing is not None:
                await ongoing.done.wait()
        return mcp_types.EmptyResult()

    @property
    def _carriers(self) -> TaskGroup:
        if self._group is None:
            msg = "the server is not running"
            raise RuntimeError(msg)
        return self._group

    def _admit(self, ctx: Context, params: TaskParams) -> tuple[Call, OngoingCall | None]:
        """Who asks, and the call in this process that is asked about."""
        check_request(ctx, params.task_id)
        call = self._call_of(ctx)
        ongoing = self._ongoing.get(params.task_id)
        return call, ongoing if ongoing is not None and ongoing.caller == call.caller.id else None

    def _forget_old(self) -> None:
        """Let go of what ended long ago: what came of runs is in the store."""
        now = datetime.now(UTC)
        for task_id, ongoing in list(self._ongoing.items()):
            if ongoing.done.is_set() and (now - ongoing.updated).total_seconds() > ongoing.ttl_seconds:
                del self._ongoing[task_id]


def _asker(ctx: Context, params: mcp_types.CallToolRequestParams, ongoing: OngoingCall) -> Ask | None:
    """How a task asks: its answer is read as if the host had called again with it."""
    if asker(ctx, Told()) is None:
        return None

    async def ask(question: str, choices: tuple[str, ...] = ()) -> str:
        asked = question_result(NeedsAnswer(question, choices), Told())
        (key, request), *_ = (asked.input_requests or {}).items()
        answer = await ongoing.ask(mcp_types.ElicitRequest.model_validate(request.model_dump()))
        again = params.model_copy(update={"input_responses": {key: answer}, "request_state": asked.request_state})
        reread = asker(ctx, Told.by(again))
        return await reread(question, choices) if reread is not None else ""

    return ask


def _at_once(ongoing: OngoingCall, call: Call) -> CallResult:
    if ongoing.result is None:
        error = ongoing.error or mcp_types.ErrorData(code=mcp_types.INTERNAL_ERROR, message="The call was cancelled")
        raise MCPError.from_error_data(error)
    if ongoing.has_begun:
        call.parts.runner.admission.received(ongoing.run_id)
    return ongoing.result


async def _with_run(ongoing: OngoingCall, record: RunRecord, call: Call) -> DetailedTask:
    result = ongoing.result if isinstance(ongoing.result, mcp_types.CallToolResult) else None
    return ongoing.completes(await kept_task(record, call, result))


async def _record(call: Call, run_id: str) -> RunRecord | None:
    call.parts.runner.pays(call.caller.payer, call.upstream)
    try:
        return await call.runs.find(run_id)
    except NotFound:
        return None


def _not_found() -> MCPError:
    return MCPError(code=mcp_types.INVALID_PARAMS, message="Task not found")
