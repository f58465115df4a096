"""What a run asks of whoever waits for it: a question lies here until somebody comes who can put it to a user."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager

import anyio

# Between two calls of a host that comes back for its run; then nobody is there.
_NOBODY_SECONDS = 30.0
# A person may have gone for coffee; no answer is no consent.
_ANSWER_SECONDS = 600.0


class Question:
    """Something a user is to choose; no choice is a no."""

    def __init__(self, text: str, choices: tuple[str, ...]) -> None:
        self.text = text
        self.choices = choices
        self.chosen = ""
        self.seen = anyio.Event()
        self._answered = anyio.Event()

    @property
    def is_open(self) -> bool:
        """Whether nobody has answered."""
        return not self._answered.is_set()

    def answer(self, chosen: str) -> None:
        """The first answer counts."""
        if self.is_open:
            self.chosen = chosen
            self._answered.set()

    async def wait(self) -> str:
        """What was chosen; nothing if nobody took the question, or nobody answered."""
        with anyio.move_on_after(_NOBODY_SECONDS):
            await self.seen.wait()
        if self.seen.is_set():
            with anyio.move_on_after(_ANSWER_SECONDS):
                await self._answered.wait()
        return self.chosen


class Desk:
    """The questions of runs that are carried here, and whoever waits for one of those runs and can ask."""

    def __init__(self) -> None:
        self._open: dict[str, deque[Question]] = {}
        # Each is rung out of its wait.
        self._bells: set[tuple[str, Callable[[], None]]] = set()

    def question(self, run_id: str) -> Question | None:
        """The question that is to be put now; whoever reads it has taken it."""
        question = self._waiting(run_id)
        if question is not None:
            question.seen.set()
        return question

    @contextmanager
    def attended(self, run_id: str, bell: Callable[[], None]) -> Generator[None]:
        """Ring a bell while this block lasts as soon as the run has a question."""
        self._bells.add((run_id, bell))
        self._ring(run_id)
        try:
            yield
        finally:
            self._bells.discard((run_id, bell))

    async def ask(self, run_id: str, text: str, choices: tuple[str, ...]) -> str:
        """What a user chooses; nothing if nobody did in time."""
        question = Question(text, choices)
        self._open.setdefault(run_id, deque()).append(question)
        self._ring(run_id)
        try:
            return await question.wait()
        finally:
            self._open[run_id].remove(question)
            if not self._open[run_id]:
                del self._open[run_id]
            self._ring(run_id)

    def _waiting(self, run_id: str) -> Question | None:
        return next((each for each in self._open.get(run_id, ()) if each.is_open), None)

    def _ring(self, run_id: str) -> None:
        if self._waiting(run_id) is not None:
            for whose, bell in list(self._bells):
                if whose == run_id:
                    bell()
