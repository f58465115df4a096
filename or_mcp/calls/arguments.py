"""How a tool's arguments are read: as they were meant, within bounds, and with errors that help."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Annotated, Any, TypeGuard, TypeVar, cast, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from or_mcp.calls.schemas import NAME_LIMIT, TEXT_LIMIT, accepts, input_schema
from or_mcp.catalogue.closest import similar
from or_mcp.openrouter.errors import InvalidRequest, shorten
from or_mcp.openrouter.wire.money import MOST_USD

ArgumentsT = TypeVar("ArgumentsT", bound="Arguments")
Fields = Mapping[str, FieldInfo]

Text = Annotated[str, Field(max_length=TEXT_LIMIT)]
"""A text of the caller's; every other string is a name, and short."""

# What nobody sees: white space, and characters without width.
_BLANKS = (
    "".join(filter(str.isspace, map(chr, range(0x3100)))) + "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)


def _not_blank(text: str) -> str:
    if text and not text.strip(_BLANKS):
        raise ValueError("is blank; it takes text, or leave it out")
    return text


Question = Annotated[Text, AfterValidator(_not_blank)]
"""A text that somebody is to read: it says something."""

Amount = Annotated[float, Field(gt=0, le=MOST_USD)]
"""What a call may cost, in USD: more than this is a slip of the keyboard."""


def decimal_or_none(amount: float | None) -> Decimal | None:
    """A person's amount, exactly as written."""
    return None if amount is None else Decimal(str(amount))


# Wrong items that are told at length: enough to see what is wrong with the rest.
_TOLD = 5
# Deeper than any list or schema that means something, and far from where walking it would end in a crash.
_DEEPEST = 80
# A list in a string costs more to read than one that came with the message, which its transport has bounded.
_MOST_IN_A_STRING = 100_000
# Of a wrong value, as much as fits into a sentence.
_QUOTED = 120


class Arguments(BaseModel):
    """The arguments of one tool. Empty means not given; numbers and lists sent as strings are read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        regex_engine="python-re",
        str_max_length=NAME_LIMIT,
        allow_inf_nan=False,
        defer_build=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _as_meant(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        fields = cls.model_fields
        arguments = _few_unknown(fields, cast("dict[str, Any]", given))
        read = {name: _read(fields.get(name), name, value) for name, value in arguments.items()}
        few = {name: _few_wrong(fields.get(name), value) for name, value in read.items()}
        for name, value in few.items():
            _check_can_be_written(name, value)
        return {name: value for name, value in few.items() if not _is_empty(fields.get(name), value)}


def read_arguments(shape: type[ArgumentsT], given: Mapping[str, Any]) -> ArgumentsT:
    """The arguments of a call.

    Raises:
        InvalidRequest: It says which argument, what was given and what is accepted.
    """
    try:
        return shape.model_validate(dict(given))
    except ValidationError as error:
        problems = dict.fromkeys(_told(error.errors(include_url=False), shape, given))
    raise InvalidRequest(". ".join(problems))


def _is_empty(field: FieldInfo | None, value: Any) -> bool:
    return value is None or (value == "" and field is not None and not field.is_required())


def _few_unknown(fields: Fields, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every known argument, and the first few others: each is told at length."""
    known = {name: given[name] for name in fields if name in given}
    return {**dict.fromkeys(islice(_unknown_names(fields, given), _TOLD), ""), **known}


def _unknown_names(fields: Fields, given: Mapping[str, Any]) -> Iterator[str]:
    return (name for name, value in given.items() if value is not None and name not in fields)


def _read(field: FieldInfo | None, name: str, value: Any) -> Any:
    """Hosts send lists and objects as JSON in a string, or one item where a list is meant."""
    if field is None or not isinstance(value, str):
        return value
    wanted = _container(field.annotation)
    if wanted is None or not value.strip():
        return value.strip() if _is_number(field.annotation) and value.strip() else value
    parsed = _parsed(name, value) if value.lstrip()[0] == ("[" if wanted is tuple else "{") else None
    if isinstance(parsed, list if wanted is tuple else dict):
        return cast("Any", parsed)
    return [value] if wanted is tuple else value


def _parsed(name: str, text: str) -> Any:
    if sum(map(text.count, ",[{")) > _MOST_IN_A_STRING:
        raise InvalidRequest(f"{name} is a list or object in a string, and too large for one; give it as itself")
    try:
        return json.loads(text)
    except ValueError:
        return None
    except RecursionError:
        raise _too_deep(name) from None


def _check_can_be_written(name: str, value: Any) -> None:
    """Refuse what could be read but not written again: half a surrogate pair, and nesting without end."""
    level = [value]
    for _ in range(_DEEPEST):
        if _are_texts(level):
            return _check_halves(name, level)
        objects = [cast("dict[str, Any]", each) for each in level if isinstance(each, dict)]
        lists = [cast("list[Any]", each) for each in level if isinstance(each, list)]
        _check_halves(name, [each for each in level if isinstance(each, str)])
        _check_halves(name, [key for each in objects for key in each])
        level = [part for each in (*lists, *(each.values() for each in objects)) for part in each]
    raise _too_deep(name)


def _are_texts(items: list[Any]) -> TypeGuard[list[str]]:
    """Whether all are, told as fast as can be: there may be a hundred thousand."""
    return {str}.issuperset(map(type, items))


def _check_halves(name: str, texts: Sequence[str]) -> None:
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"{_shown(name)} holds half of a surrogate pair (\\ud800 to \\udfff alone)") from None


def _too_deep(name: str) -> InvalidRequest:
    return InvalidRequest(f"{_shown(name)} is nested more than {_DEEPEST} deep")


@cache
def _container(annotation: Any) -> type | None:
    origin = get_origin(annotation)
    if origin in (tuple, dict):
        return cast("type", origin)
    return next((found for part in get_args(annotation) if (found := _container(part))), None)


@cache
def _is_number(annotation: Any) -> bool:
    return annotation in (int, float, bool) or any(_is_number(part) for part in get_args(annotation))


def _few_wrong(field: FieldInfo | None, value: Any) -> Any:
    """A list up to its fifth wrong item, or to the first that is too many: each is told at length."""
    if field is None or not isinstance(value, list) or _container(field.annotation) is not tuple:
        return cast("Any", value)
    items = cast("list[Any]", value)
    most = next((rule.max_length for rule in field.metadata if hasattr(rule, "max_length")), len(items))
    if len(items) <= most and _are_texts(items):
        return items
    places = list(islice(_wrong_places(field, items), _TOLD))
    end = places[-1] + 1 if len(places) == _TOLD else len(items)
    return items[: min(end, most + 1)]


def _wrong_places(field: FieldInfo, items: list[Any]) -> Iterator[int]:
    kind = str if _is_text(get_args(field.annotation)[0]) else dict
    return (place for place, item in enumerate(items) if not isinstance(item, kind))


def _is_text(item: Any) -> bool:
    return item is str or (get_origin(item) is Annotated and get_args(item)[0] is str)


def _told(problems: Sequence[ErrorDetails], shape: type[Arguments], given: Mapping[str, Any]) -> Iterator[str]:
    """The first problems of each argument in words, and how many more there are."""
    by_name: dict[str, list[ErrorDetails]] = {}
    for problem in problems:
        by_name.setdefault(_name(problem), []).append(problem)
    for name, of_it in by_name.items():
        yield from (_tell(problem, shape) for problem in of_it[:_TOLD])
        more = max(len(of_it), _count_wrong(shape.model_fields.get(name), name, given.get(name))) - _TOLD
        if more > 0:
            yield f"{more:,} more of {name} are wrong"
    unknown = sum(1 for _ in _unknown_names(shape.model_fields, given)) - _TOLD
    if unknown > 0:
        yield f"{unknown:,} more arguments are unknown"


def _count_wrong(field: FieldInfo | None, name: str, value: Any) -> int:
    items = _read(field, name, value)
    is_list = field is not None and isinstance(items, list) and _container(field.annotation) is tuple
    return sum(1 for _ in _wrong_places(field, cast("list[Any]", items))) if field is not None and is_list else 0


def _name(problem: ErrorDetails) -> str:
    return str(problem["loc"][0]) if problem["loc"] else "arguments"


def _tell(problem: ErrorDetails, shape: type[Arguments]) -> str:
    name = _name(problem)
    inside = "".join(f"[{part}]" if isinstance(part, int) else f".{_shown(part)}" for part in problem["loc"][1:])
    if inside and problem["type"] in ("extra_forbidden", "missing"):
        return f"{name}{inside} is {'missing' if problem['type'] == 'missing' else 'unknown'}"
    if problem["type"] == "extra_forbidden":
        return _unknown(name, list(shape.model_fields))
    accepted = accepts(input_schema(shape)["properties"].get(name, {}))
    if problem["type"] == "missing":
        return f"{name} is missing; it takes {accepted}"
    given = problem["input"]
    place = "".join(f"[{part}]" for part in problem["loc"][1:] if isinstance(part, int))
    if problem["type"] == "string_too_long":
        most = problem.get("ctx", {})["max_length"]
        return f"{name}{place} has {len(given):,} characters ({_quote(given)}); it takes at most {most:,}"
    if problem["type"] == "value_error":
        return f"{name}{place} {problem['msg'].removeprefix('Value error, ')}"
    return f"{name}{place} was {_quote(given)}; it takes {accepted}{_nearest(given, shape, name)}"


def _unknown(name: str, known: list[str]) -> str:
    # A wrong guess does no harm here, and names are short: half the letters are enough.
    close = similar(name, known, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
    return f"There is no argument {_shown(name)!r}: {hint}"


def _shown(name: str) -> str:
    return shorten(name, 60)


def _quote(value: Any) -> str:
    try:
        return shorten(json.dumps(_excerpt(value), ensure_ascii=False, default=str), _QUOTED)
    except (ValueError, RecursionError):
        return type(value).__name__


def _excerpt(value: Any) -> Any:
    """As much of a value as can be quoted."""
    if isinstance(value, str):
        return value[:_QUOTED]
    if isinstance(value, list | tuple):
        return [_excerpt(each) for each in cast("Sequence[Any]", value)[:_QUOTED]]
    if isinstance(value, dict):
        few = islice(cast("dict[str, Any]", value).items(), _QUOTED)
        return {name[:_QUOTED]: _excerpt(each) for name, each in few}
    return value


def _nearest(given: Any, shape: type[Arguments], name: str) -> str:
    options = input_schema(shape)["properties"].get(name, {}).get("enum", [])
    close = similar(given, [str(option) for option in options], cutoff=0.4) if isinstance(given, str) else ()
    return f". Closest: {close[0]!r}" if close else ""
