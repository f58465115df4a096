"""Upstream's answers, checked: what is not in a known shape is a failure that says what came, never an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import JsonValue, TypeAdapter
from pydantic_core import to_json

from or_mcp.decisions.questions import Asked
from or_mcp.openrouter.errors import UpstreamFailed
from or_mcp.openrouter.wire.decisions import DecisionsReply
from or_mcp.openrouter.wire.lenient import Maybe

Json = JsonValue
_DIGITS = 6
# What probabilities that were rounded may come to beyond one.
_TOLERANCE = 0.01
_EDGES = ("left", "top", "right", "bottom")


@dataclass(frozen=True, slots=True)
class Decided:
    """The answer to one question."""

    name: str
    value: Any
    confidence: Maybe[float] = None
    probabilities: Maybe[dict[str, float]] = None


@dataclass(frozen=True, slots=True)
class RowAnswers:
    """What is kept of a row."""

    answers: tuple[Decided, ...]


ROW: TypeAdapter[RowAnswers] = TypeAdapter(RowAnswers)


class _Changed(Exception):
    """It is in no shape that is known here."""


def read_answers(reply: DecisionsReply, asked: Sequence[Asked]) -> RowAnswers:
    """The answers, in the order of the questions.

    Raises:
        UpstreamFailed: One is missing, or has another shape than is known. It carries what came.
    """
    return RowAnswers(tuple(_checked(reply, each) for each in asked))


def _checked(reply: DecisionsReply, asked: Asked) -> Decided:
    came = reply.answers.get(asked.name)
    try:
        if not isinstance(came, dict) or came.get("type", asked.question.type) != asked.question.type:
            raise _Changed
        return _READERS[asked.kind](asked, came)
    except _Changed:
        told = to_json(came if asked.name in reply.answers else reply.answers).decode()
        raise UpstreamFailed(
            f"OpenRouter's answer to {asked.name!r} has no shape of a {asked.kind} that is known here",
            quote=told,
            generation_id=reply.id,
            may_be_billed=True,
        ) from None


def _choice(asked: Asked, came: Mapping[str, Json]) -> Decided:
    value = came.get("choice")
    if value not in asked.options:
        raise _Changed
    shares = _shares(came.get("probabilities"), {option: option for option in asked.options})
    return Decided(asked.name, value, _share(came.get("confidence"), None), shares)


def _yes_no(asked: Asked, came: Mapping[str, Json]) -> Decided:
    yes = _share(came.get("noul"))
    if yes is None:
        raise _Changed
    shares = {"yes": yes, "no": round(1 - yes, _DIGITS)}
    return Decided(asked.name, yes >= 0.5, max(shares.values()), shares)


def _score(asked: Asked, came: Mapping[str, Json]) -> Decided:
    value = _number(came.get("score"))
    if not 0 <= value <= len(asked.options) - 1 + _TOLERANCE:
        raise _Changed
    shares = _shares(came.get("probabilities"), {str(n): option for n, option in enumerate(asked.options)})
    return Decided(asked.name, round(value, _DIGITS), _share(came.get("confidence"), None), shares)


def _box(asked: Asked, came: Mapping[str, Json]) -> Decided:
    box = came.get("box")
    if not isinstance(box, dict):
        raise _Changed
    value = {edge: _number(box.get(edge)) for edge in _EDGES}
    return Decided(asked.name, value, _share(came.get("confidence"), None))


_READERS = {"choice": _choice, "yes_no": _yes_no, "score": _score, "box": _box}
_MISSING: Any = object()


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Changed
    return float(value)


def _share(value: Json, otherwise: Any = _MISSING) -> float | None:
    """A probability; what may be absent reads as what it is `otherwise`."""
    if value is None and otherwise is not _MISSING:
        return cast("float | None", otherwise)
    share = _number(value)
    if not -_TOLERANCE <= share <= 1 + _TOLERANCE:
        raise _Changed
    return round(min(max(share, 0.0), 1.0), _DIGITS)


def _shares(value: Json, names: Mapping[str, str]) -> dict[str, float] | None:
    """Probabilities by the names that the caller gave."""
    if value is None:
        return None
    if not isinstance(value, dict) or not value.keys() <= names.keys():
        raise _Changed
    return {names[key]: share for key, each in value.items() if (share := _share(each)) is not None}
