"""What a run asks of whoever waits for it: a question lies here until somebody comes who can put it to a user.

It lies in the store too: whoever waits, and the user's answer, may come to another process than the one that carries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from secrets import token_hex
from typing import NamedTuple

import anyio

from or_mcp.runs.store import Store
from or_mcp.runs.transaction import Transaction

# Between two calls of a host that comes back for its run; then nobody is there.
_NOBODY_SECONDS = 30.0
# A person may have gone for coffee; no answer is no consent.
_ANSWER_SECONDS = 600.0
_PUT = """
    INSERT INTO questions (run_id, question, words, choices) VALUES (?, ?, ?, ?) ON CONFLICT (run_id) DO UPDATE
    SET question = excluded.question, words = excluded.words, choices = excluded.choices, seen = 0, chosen = NULL
"""
_TAKE_BACK = "DELETE FROM questions WHERE run_id = ?"
_LAID = "SELECT run_id, question, words, choices, seen, chosen FROM questions WHERE run_id IN "
_TELL = "UPDATE questions SET seen = 1, chosen = ? WHERE run_id = ? AND question = ? AND chosen IS NULL"
# So many of them in one statement.
_AT_ONCE = 500


class _Row(NamedTuple):
    run_id: str
    question: str
    words: str
    choices: str
    seen: int
    chosen: str | None


class Question:
    """Something a user is to choose; no choice is a no. `told` hears that it was taken, and what was chosen."""

    def __init__(self, text: str, choices: tuple[str, ...], name: str, told: Callable[[str | None], None]) -> None:
        self.text = text
        self.choices = choices
        self.name = name
        self.chosen = ""
        self._told = told
        self._seen = anyio.Event()
        self._answered = anyio.Event()

    @property
    def is_open(self) -> bool:
        """Whether nobody has answered."""
        return not self._answered.is_set()

    def take(self) -> None:
        """Somebody puts it to a user."""
        if not self._seen.is_set():
            self._seen.set()
            self._told(None)

    def answer(self, chosen: str) -> None:
        """The first answer counts."""
        if self.is_open:
            self.chosen = chosen
            self._seen.set()
            self._answered.set()
            self._told(chosen)

    async def wait(self) -> str:
        """What was chosen; nothing if nobody took the question, or nobody answered."""
        with anyio.move_on_after(_NOBODY_SECONDS):
            await self._seen.wait()
        if self._seen.is_set():
            with anyio.move_on_after(_ANSWER_SECONDS):
                await self._answered.wait()
        return self.chosen


class Desk:
    """The questions of runs, one at a time each, and whoever waits for one of those runs and can ask."""

    def __init__(self, store: Store, is_carried: Callable[[str], bool]) -> None:
        self._store = store
        self._is_carried = is_carried
        self._own: dict[str, Question] = {}
        self._of_others: dict[str, Question] = {}
        # Each is rung out of its wait.
        self._bells: set[tuple[str, Callable[[], None]]] = set()

    def question(self, run_id: str) -> Question | None:
        """The question that is to be put now; whoever reads it has taken it."""
        question = self._waiting(run_id)
        if question is not None:
            question.take()
        return question

    async def question_now(self, run_id: str) -> Question | None:
        """The same, for whoever has not waited."""
        if not self._is_carried(run_id):
            await self._hear([run_id])
        return self.question(run_id)

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
        question = self._own[run_id] = Question(text, choices, token_hex(8), lambda _: None)
        laid = (run_id, question.name, text, json.dumps(choices))
        self._store.post(_key(run_id), lambda tx: tx.execute(_PUT, laid))
        self._ring(run_id)
        try:
            return await question.wait()
        finally:
            del self._own[run_id]
            self._store.post(_key(run_id), lambda tx: tx.execute(_TAKE_BACK, (run_id,)))

    async def look(self) -> None:
        """See what was answered elsewhere, and what runs ask that others carry and somebody here waits for."""
        awaited = {run_id for run_id, _ in self._bells if not self._is_carried(run_id)}
        self._of_others = {run_id: each for run_id, each in self._of_others.items() if run_id in awaited}
        await self._hear([*self._own, *awaited])

    async def _hear(self, run_ids: Sequence[str]) -> None:
        for start in range(0, len(run_ids), _AT_ONCE):
            some = run_ids[start : start + _AT_ONCE]
            rows = await self._store.read(partial(_laid, run_ids=some))
            for run_id in some:
                self._heard(run_id, rows.get(run_id))

    def _heard(self, run_id: str, row: _Row | None) -> None:
        own, known = self._own.get(run_id), self._of_others.get(run_id)
        if own is not None:
            if row is not None and row.question == own.name and row.seen:
                own.take()
                if row.chosen is not None:
                    own.answer(row.chosen)
        elif row is None or row.chosen is not None:
            self._of_others.pop(run_id, None)
        elif known is None or known.name != row.question:
            told = partial(self._tell, run_id, row.question)
            self._of_others[run_id] = Question(row.words, tuple(json.loads(row.choices)), row.question, told)
        self._ring(run_id)

    def _tell(self, run_id: str, question: str, chosen: str | None) -> None:
        self._store.post(_key(run_id), lambda tx: tx.execute(_TELL, (chosen, run_id, question)))

    def _waiting(self, run_id: str) -> Question | None:
        question = self._own.get(run_id) or self._of_others.get(run_id)
        return question if question is not None and question.is_open else None

    def _ring(self, run_id: str) -> None:
        if self._waiting(run_id) is not None:
            for whose, bell in list(self._bells):
                if whose == run_id:
                    bell()


def _key(run_id: str) -> str:
    return f"question of {run_id}"


def _laid(tx: Transaction, run_ids: Sequence[str]) -> dict[str, _Row]:
    rows = tx.execute(f"{_LAID} ({', '.join('?' * len(run_ids))})", run_ids).fetchall()
    return {row[0]: _Row(*row) for row in rows}
