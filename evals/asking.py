"""One model asked, task by task, with the tools as hosts show them; never for more than its ceiling."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from evals.rules import Called, Task, grade
from or_mcp.catalogue.prices import estimate_completion
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.web import NO_WEB
from or_mcp.conversation.fit import needs_of
from or_mcp.conversation.state import AnswerState
from or_mcp.conversation.thread import Thread
from or_mcp.conversation.turn import Caps, Turn, request_for, say
from or_mcp.host.instructions import instructions
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure
from or_mcp.tools import ALL_TOOLS

CEILING_USD = Decimal(1)
"""No run of all tasks costs more, whatever the model and whatever was asked for."""
# A call and the thoughts before it.
_ANSWER_TOKENS = 2_000


@dataclass(frozen=True, slots=True)
class Graded:
    """A task, what is wrong with how it was done, if anything, and what that cost."""

    task: Task
    problem: str
    cost_usd: Decimal


class TooDear(Exception):
    """The next task may cost more than is left, so it was not asked."""


def functions() -> tuple[dict[str, Any], ...]:
    """Every tool as a function, in the words that hosts show."""
    listed = (tool.listed() for tool in ALL_TOOLS.values())
    return tuple(
        {"name": each.name, "description": each.description, "parameters": each.input_schema} for each in listed
    )


class Examiner:
    """Asks one model; what may be spent is set aside before each request."""

    def __init__(self, upstream: OpenRouter, snapshot: Snapshot, model: str, ceiling: Decimal = CEILING_USD) -> None:
        self._upstream = upstream
        self._snapshot = snapshot
        self._ceiling = min(ceiling, CEILING_USD)
        self._turn = Turn(model, instructions(ALL_TOOLS), max_output_tokens=_ANSWER_TOKENS, tools=functions())
        self.spent = Decimal(0)

    async def all(self, tasks: Sequence[Task]) -> AsyncIterator[Graded]:
        """Each task, graded as soon as it is answered.

        Raises:
            TooDear: The next one does not fit any more, or nobody knows what it costs.
        """
        for task in tasks:
            before = self.spent
            problem = await self._one(task)
            yield Graded(task, problem, self.spent - before)

    async def _one(self, task: Task) -> str:
        thread = say(Thread.new(), self._turn, task.said)
        most = self._most(thread)
        if most is None or self.spent + most > self._ceiling:
            told = "nobody knows what it costs" if most is None else f"it may cost ${most:.4f}"
            raise TooDear(f"{task.name} was not asked: {told}, and ${self._ceiling - self.spent:.4f} is left")
        self.spent += most
        state = AnswerState()
        try:
            async with self._upstream.chat(request_for(thread, self._turn, Caps(_ANSWER_TOKENS))) as stream:
                async for chunk in stream:
                    state.apply(chunk)
            state.check_ended()
        except Failure as failure:
            return f"{failure.kind}: {failure.message}"
        finally:
            cost = state.said().cost_usd
            self.spent -= most - cost if cost is not None else 0
        return grade(task, called_by(state))

    def _most(self, thread: Thread) -> Decimal | None:
        sizes = needs_of(thread, self._turn).sizes
        models, usual, at_most = (self._turn.model,), sizes.usual, sizes.at_most
        return estimate_completion(
            self._snapshot, models, usual, at_most, max_output_tokens=_ANSWER_TOKENS, web=NO_WEB
        ).most


def called_by(state: AnswerState) -> Called:
    """The first call of an answer."""
    calls = state.said().whole_calls
    if not calls:
        return Called()
    try:
        arguments: Any = json.loads(calls[0].arguments or "{}")
    except ValueError:
        arguments = None
    return Called(calls[0].name, cast("dict[str, Any]", arguments) if isinstance(arguments, dict) else {})
