"""What a call must be: graded by rule, never by opinion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NONE = ""
"""In place of a tool: none is to be called."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an argument must be, in words and as a test."""

    words: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Task:
    """What a user says, which tools are right, and what their arguments must be."""

    name: str
    said: str
    tools: tuple[str, ...]
    arguments: Mapping[str, Rule] = field(default_factory=dict[str, Rule])


@dataclass(frozen=True, slots=True)
class Called:
    """The tool that a model has called first; none where it answered by itself."""

    tool: str = NONE
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


def grade(task: Task, called: Called) -> str:
    """What is wrong with a call; nothing where it is right."""
    if called.tool not in task.tools:
        return f"called {called.tool or 'nothing'}, not {' or '.join(tool or 'nothing' for tool in task.tools)}"
    wrong = [name for name, rule in task.arguments.items() if not rule.holds(called.arguments.get(name))]
    told = (f"{name} was {called.arguments.get(name)!r}, not {task.arguments[name].words}" for name in wrong)
    return "; ".join(told)


def equal(value: Any) -> Rule:
    """This, as a number, a text or a list."""
    return Rule(repr(value), lambda given: given == value or str(given).lower() == str(value).lower())


def has(*words: str) -> Rule:
    """A text, or a list of them, with each of these words in it."""
    return Rule(f"with {', '.join(words)}", lambda given: all(word.lower() in str(given).lower() for word in words))


def one_of(*values: Any) -> Rule:
    """One of these."""
    return Rule(f"one of {values!r}", lambda given: given in values)


def count(number: int) -> Rule:
    """A list of so many."""
    return Rule(f"a list of {number}", lambda given: isinstance(given, list | tuple) and len(given) == number)  # pyright: ignore[reportUnknownArgumentType]


def near(number: float) -> Rule:
    """About this number."""
    return Rule(
        f"about {number:g}", lambda given: isinstance(given, int | float) and abs(given - number) < 1e-6 + number / 100
    )


def absent() -> Rule:
    """Not given, or empty."""
    return Rule("left out", lambda given: not given)
