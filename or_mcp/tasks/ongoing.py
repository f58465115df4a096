"""A call that goes on in this process after the request that made it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.lowlevel
import mcp_types
from mcp import MCPError
from pydantic import ValidationError

from or_mcp.runs.record import new_run_id
from or_mcp.tasks.wire import CreatedTask, DetailedTask, TaskStatus, moment

logger = logging.getLogger(__name__)

CallResult = mcp_types.CallToolResult | mcp_types.InputRequiredResult

_UNANSWERED = "Nobody answered the question in time: nothing was sent and nothing was spent"


class Question:
    """Something the host must ask its user."""

    def __init__(self, request: mcp_types.ElicitRequest) -> None:
        self.request = request
        self.answer = mcp_types.ElicitResult(action="cancel")
        self.answered = anyio.Event()


class OngoingCall:
    """One call: how it goes, what it asks, what came of it.

    Its id is its run's. Only a call that asks before its run begins can turn out to have joined a run with another id.
    """

    def __init__(self, caller: str, ttl_seconds: float) -> None:
        self.run_id = new_run_id()
        self.task_id = self.run_id
        self.caller = caller
        self.has_begun = False
        self.done = anyio.Event()
        self.scope = anyio.CancelScope()
        self.result: CallResult | None = None
        self.error: mcp_types.ErrorData | None = None
        self.updated = self._created = datetime.now(UTC)
        self.ttl_seconds = ttl_seconds
        self._answer_until = anyio.current_time() + ttl_seconds
        self._message = ""
        self._questions: dict[str, Question] = {}
        self._asked = 0
        self._answerable = anyio.Event()
        self._named = anyio.Event()

    @property
    def status(self) -> TaskStatus:
        """How it stands, going by the call alone."""
        if not self.done.is_set():
            return "input_required" if self._questions else "working"
        if self.error is not None:
            return "failed"
        return "cancelled" if self.result is None else "completed"

    async def carry(self, work: Callable[[], Awaitable[CallResult]]) -> None:
        """Do the work of the call, to whatever end."""
        with self.scope:
            try:
                self.result = await work()
            except MCPError as error:
                self.error = error.error
            except Exception:
                logger.exception("The call of task %s crashed", self.task_id)
                self.error = mcp_types.ErrorData(code=mcp_types.INTERNAL_ERROR, message="or-mcp itself failed")
        self._questions.clear()
        self._touch()
        self.done.set()
        self._answerable.set()
        self._named.set()

    async def until_it_can_be_answered(self, grace_seconds: float) -> None:
        """Wait until it is done, or has taken longer than the grace and has its final id."""
        with anyio.move_on_after(grace_seconds):
            await self._answerable.wait()
            return
        await self._named.wait()

    def began(self, run_id: str) -> None:
        """Its run has begun, or one of the same question was found."""
        self.run_id = run_id
        self.has_begun = True
        if not self._named.is_set():
            self.task_id = run_id
        self._named.set()

    async def tell(self, done: float, total: float, message: str) -> None:
        """Keep what a host without tasks would be told as progress."""
        del done, total
        if message != self._message:
            self._message = message
            self._touch()

    async def ask(self, request: mcp_types.ElicitRequest) -> mcp_types.ElicitResult:
        """Wait for the host's answer; when none comes in time the call is cancelled."""
        self._asked += 1
        key = f"question-{self._asked}"
        question = self._questions[key] = Question(request)
        self._touch()
        self._answerable.set()
        self._named.set()
        with anyio.move_on_after(self._answer_until - anyio.current_time()):
            await question.answered.wait()
        if not question.answered.is_set():
            self._message = _UNANSWERED
            self.scope.cancel()
            await anyio.lowlevel.checkpoint()
        return question.answer

    def take_answers(self, responses: Mapping[str, Any]) -> None:
        """Take what the host's user has said; an answer to nothing that is asked is ignored.

        Raises:
            MCPError: An answer cannot be read. None was taken.
        """
        answers = {key: read_answer(given) for key, given in responses.items() if key in self._questions}
        for key, answer in answers.items():
            question = self._questions.pop(key)
            question.answer = answer
            question.answered.set()
            self._touch()

    def created(self, run_ttl_seconds: float) -> CreatedTask:
        """The call's answer when it has become a task."""
        return CreatedTask.model_validate(self._fields(run_ttl_seconds))

    def detailed(self, run_ttl_seconds: float) -> DetailedTask:
        """How it stands, going by the call alone."""
        asked = {key: question.request for key, question in self._questions.items()}
        return DetailedTask(
            **self._fields(run_ttl_seconds), input_requests=dict(asked) or None, result=self.result, error=self.error
        )

    def completes(self, kept: DetailedTask) -> DetailedTask:
        """Its run as a task, under the name and from the moment that its host knows."""
        return kept.model_copy(update={"task_id": self.task_id, "created_at": moment(self._created)})

    def _fields(self, run_ttl_seconds: float) -> dict[str, Any]:
        seconds = run_ttl_seconds if self.has_begun else self.ttl_seconds
        return {
            "task_id": self.task_id,
            "status": self.status,
            "status_message": self._message or None,
            "created_at": moment(self._created),
            "last_updated_at": moment(self.updated),
            "ttl_ms": int(seconds * 1000),
        }

    def _touch(self) -> None:
        self.updated = datetime.now(UTC)


def read_answer(given: Any) -> mcp_types.ElicitResult:
    """What a host's user has said.

    Raises:
        MCPError: It cannot be read.
    """
    try:
        return mcp_types.ElicitResult.model_validate(given)
    except ValidationError:
        message = "inputResponses holds an answer that is no elicitation result"
        raise MCPError(code=mcp_types.INVALID_PARAMS, message=message) from None
