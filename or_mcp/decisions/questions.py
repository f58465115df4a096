"""Questions as people write them become upstream's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from or_mcp.openrouter.errors import InvalidRequest, shorten
from or_mcp.openrouter.wire.decisions import Question

# Upstream's name for each type.
_TYPES = {"choice": "choice", "yes_no": "noul", "score": "score", "box": "box"}
_FIELDS = ("type", "instructions", "options")
# What a yes is called in options, and what a no is.
_YES, _NO = ("yes", "true"), ("no", "false")
# Nobody reads more, and all of them are sent with every row.
MOST_QUESTIONS, MOST_OPTIONS = 50, 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked question: its type as people call it, its options by name, and what is sent."""

    name: str
    kind: str
    options: tuple[str, ...]
    question: Question


def read_questions(given: Mapping[str, Any]) -> tuple[Asked, ...]:
    """The questions, checked.

    Raises:
        InvalidRequest: One is none. It says which, and what it takes.
    """
    if not given:
        raise InvalidRequest('questions is empty; it takes {"name": {"type": "yes_no", "instructions": "…"}}')
    if len(given) > MOST_QUESTIONS:
        raise InvalidRequest(f"questions has {len(given)}; it takes at most {MOST_QUESTIONS}")
    return tuple(_read(name, question) for name, question in given.items())


def _read(name: str, given: Any) -> Asked:
    where = f"questions.{shorten(name, 60)}"
    if not isinstance(given, dict):
        raise InvalidRequest(f'{where} is no object; it takes {{"type", "instructions", "options"}}')
    question = cast("dict[str, Any]", given)
    if unknown := sorted(question.keys() - set(_FIELDS)):
        raise InvalidRequest(f"{where}.{shorten(unknown[0], 60)} is unknown; a question has {', '.join(_FIELDS)}")
    kind, instructions = question.get("type"), question.get("instructions")
    if kind not in _TYPES:
        raise InvalidRequest(f"{where}.type was {_shown(kind)}; it takes {', '.join(_TYPES)}")
    if not isinstance(instructions, str) or not instructions.strip():
        raise InvalidRequest(f"{where}.instructions is missing; it takes what is to be decided, in words")
    options, criteria = _criteria(where, kind, question.get("options"))
    return Asked(name, kind, options, Question(type=_TYPES[kind], instructions=instructions, criteria=criteria))


def _criteria(where: str, kind: str, options: Any) -> tuple[tuple[str, ...], Any]:
    """The names of the options, and the same as upstream takes them."""
    if kind == "box":
        if options:
            raise InvalidRequest(f"{where}.options: a box has none; say in instructions what it is to be around")
        return (), None
    named = _named(where, options)
    if kind == "yes_no":
        return ("yes", "no"), _sides(where, named)
    if len(named) < 2:
        what = "levels, the lowest first" if kind == "score" else "a list, or an object of name and description"
        raise InvalidRequest(f"{where}.options takes at least two for {kind}: {what}")
    if kind == "score":
        return tuple(named), [f"{name}: {words}" if words else name for name, words in named.items()]
    return tuple(named), dict(named)


def _named(where: str, options: Any) -> dict[str, str | None]:
    """Options by name, with what describes them."""
    if isinstance(options, dict):
        given = cast("dict[str, Any]", options)
    else:
        names: Sequence[Any] = cast("list[Any]", options) if isinstance(options, list | tuple) else ()
        given = {str(name): None for name in names}
        if options and (len(given) < len(names) or not all(isinstance(name, str | int | float) for name in names)):
            raise InvalidRequest(f"{where}.options takes different texts, or an object of name and description")
    if len(given) > MOST_OPTIONS:
        raise InvalidRequest(f"{where}.options has {len(given)}; it takes at most {MOST_OPTIONS}")
    if any(not name.strip() or not isinstance(words, str | None) for name, words in given.items()):
        raise InvalidRequest(f"{where}.options takes names, each with a text that describes it, or none")
    return {name: words or None for name, words in given.items()}


def _sides(where: str, named: Mapping[str, str | None]) -> dict[str, str] | None:
    """When it is a yes and when a no; upstream takes both or none."""
    if not named:
        return None
    sides = {name.lower(): words for name, words in named.items()}
    yes = next((sides[name] for name in _YES if name in sides), None)
    no = next((sides[name] for name in _NO if name in sides), None)
    if yes is None and no is None and set(sides) <= {*_YES, *_NO}:
        return None
    if not yes or not no or len(sides) > len((yes, no)):
        raise InvalidRequest(f'{where}.options of a yes_no are {{"yes": "when …", "no": "when …"}}, or none')
    return {"true": yes, "false": no}


def _shown(value: Any) -> str:
    return "missing" if value is None else shorten(json.dumps(value, default=str), 80)
