"""How replies are read: unknown fields are skipped, and an odd optional field reads as absent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, OnErrorOmit
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")
# The largest whole number that every reader of JSON keeps exactly.
_MOST_COUNT = 2**53
# As much as may be quoted of anything that upstream says.
_LONGEST_NAME = 300


class Reply(BaseModel):
    """Part of a reply. Upstream adds fields and values without notice."""

    # Building a model takes about a millisecond, and most are never used in one process.
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


@dataclass(frozen=True, slots=True)
class _IfOdd:
    default: str | None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), default=self.default, on_error="default")


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def is_none(value: object) -> bool:
    """Whether a field has nothing to say."""
    return value is None


def is_empty(value: object) -> bool:
    """Whether a list has nothing in it."""
    return not value


def _list_or_empty(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return cast("list[Any]", value)
    return ()


def _on_one_line(words: str) -> str:
    if len(words) <= _LONGEST_NAME and words.isprintable():
        return words
    kept = "".join(sign if sign.isprintable() else " " for sign in words[: 10 * _LONGEST_NAME])
    line = " ".join(kept.split())
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"


def _without_breaks(url: str) -> str:
    if url.isprintable() and " " not in url:
        return url
    return "".join(sign if sign.isprintable() and sign != " " else quote(sign, errors="replace") for sign in url)


Lenient = Annotated[T | None, _IfOdd(None)]
"""A field that reads as None when upstream sends something unexpected in it."""

Text = Annotated[str, _IfOdd("")]
"""Words, or none."""

Number = Annotated[float | None, _IfOdd(None), BeforeValidator(_finite)]
"""A number, or None: never NaN or infinity."""

Count = Annotated[Annotated[int, Field(ge=0, le=_MOST_COUNT)] | None, _IfOdd(None)]
"""How many of something there are, or None."""

Rows = Annotated[tuple[OnErrorOmit[T], ...], BeforeValidator(_list_or_empty)]
"""A list that reads as empty when it is missing, null or no list, without the rows that cannot be read."""

Name = Annotated[str, AfterValidator(_on_one_line)]
"""Words that stand for something: one line, which acts on no screen and has an end."""

Address = Annotated[str, AfterValidator(_without_breaks)]
"""A URL: what cannot stand in one is written as a URL writes it."""

Some = Annotated[T, Field(exclude_if=is_empty)]
"""A list of ours that is absent when there is nothing in it."""

Maybe = Annotated[T | SkipJsonSchema[None], Field(exclude_if=is_none)]
"""A field of ours that is absent, not null, when there is nothing to say. Its default must be None."""
