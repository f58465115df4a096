"""The analyst's comparison, read leniently: it is written by a model, and nothing is ever added to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from pydantic import JsonValue
from pydantic_core import from_json

from or_mcp.openrouter.wire.lenient import Some

T = TypeVar("T")

_PARTS = ("consensus", "contradictions", "partial_coverage", "unique_insights", "blind_spots")


@dataclass(frozen=True, slots=True)
class Stance:
    """What one model holds; an empty model means the analyst did not say who."""

    model: str
    stance: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A topic on which the panel disagrees."""

    topic: str
    stances: Some[tuple[Stance, ...]] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """A point that only some of the panel made."""

    point: str
    models: Some[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class Insight:
    """A point that one model alone made."""

    model: str
    insight: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """The five parts of the comparison."""

    consensus: Some[tuple[str, ...]] = ()
    contradictions: Some[tuple[Contradiction, ...]] = ()
    partial_coverage: Some[tuple[Coverage, ...]] = ()
    unique_insights: Some[tuple[Insight, ...]] = ()
    blind_spots: Some[tuple[str, ...]] = ()


def read_analysis(raw: JsonValue, panel: Sequence[str]) -> Analysis | None:
    """The comparison in what the analyst wrote, or None when there is none."""
    parts = _object(raw)
    if parts is None or not any(part in parts for part in _PARTS):
        return None
    names = _Names(panel)
    return Analysis(
        consensus=_unique(_text(row) for row in _rows(parts, "consensus")),
        contradictions=_unique(_contradiction(row, names) for row in _rows(parts, "contradictions")),
        partial_coverage=_unique(_coverage(row, names) for row in _rows(parts, "partial_coverage")),
        unique_insights=_unique(_insight(row, names) for row in _rows(parts, "unique_insights")),
        blind_spots=_unique(_text(row) for row in _rows(parts, "blind_spots")),
    )


class _Names:
    """Maps the spellings of a model that analysts use to the slug that was asked, where there is no doubt."""

    def __init__(self, panel: Sequence[str]) -> None:
        self._slugs: dict[str, set[str]] = {}
        for slug in panel:
            for spelling in (slug, slug.rpartition("/")[2]):
                self._slugs.setdefault(_plain(spelling), set()).add(slug)

    def resolve(self, name: str) -> str:
        found = self._slugs.get(_plain(name), set())
        return next(iter(found)) if len(found) == 1 else name.strip()


def _plain(name: str) -> str:
    return name.strip().lstrip("~").lower().replace(" ", "-").replace("_", "-")


def _object(raw: JsonValue) -> Mapping[str, JsonValue] | None:
    if isinstance(raw, str):
        try:
            # Not json.loads: it takes NaN and halves of characters, and deep nesting crashes it.
            raw = from_json(raw, allow_inf_nan=False)
        except ValueError:
            return None
    return raw if isinstance(raw, dict) else None


def _rows(parts: Mapping[str, JsonValue], name: str) -> Sequence[JsonValue]:
    value = parts.get(name)
    if isinstance(value, list):
        return value
    return [] if value in (None, "") else [value]


def _text(value: JsonValue) -> str:
    """The words in a value, whatever shape they were put in."""
    if isinstance(value, dict):
        return ": ".join(filter(None, (_text(part) for part in value.values())))
    if isinstance(value, list):
        return ", ".join(filter(None, (_text(part) for part in value)))
    return "" if value is None else str(value).strip()


def _first(row: Mapping[str, JsonValue], *names: str) -> str:
    return next((words for name in names if (words := _text(row.get(name)))), "")


def _contradiction(row: JsonValue, names: _Names) -> Contradiction | None:
    if not isinstance(row, dict):
        return Contradiction(words) if (words := _text(row)) else None
    topic = _first(row, "topic", "title", "point", "issue")
    stances = _unique(_stances(row.get("stances", row.get("positions")), names))
    return Contradiction(topic, stances) if topic or stances else None


def _stances(value: JsonValue, names: _Names) -> Iterable[Stance | None]:
    if isinstance(value, dict):
        value = [{"model": model, "stance": stance} for model, stance in value.items()]
    for row in value if isinstance(value, list) else [value]:
        yield _stance(row, names)


def _stance(row: JsonValue, names: _Names) -> Stance | None:
    if isinstance(row, dict):
        words = _first(row, "stance", "position", "view", "text")
        return Stance(names.resolve(_text(row.get("model"))), words) if words else None
    return Stance("", words) if (words := _text(row)) else None


def _coverage(row: JsonValue, names: _Names) -> Coverage | None:
    if not isinstance(row, dict):
        return Coverage(words) if (words := _text(row)) else None
    point = _first(row, "point", "text", "topic", "insight")
    models = row.get("models", row.get("model"))
    listed = cast("list[JsonValue]", models) if isinstance(models, list) else [models]
    covering = _unique(names.resolve(name) for model in listed if (name := _text(model)))
    return Coverage(point, covering) if point else None


def _insight(row: JsonValue, names: _Names) -> Insight | None:
    if not isinstance(row, dict):
        return Insight("", words) if (words := _text(row)) else None
    words = _first(row, "insight", "point", "text")
    return Insight(names.resolve(_text(row.get("model"))), words) if words else None


def _unique(values: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
