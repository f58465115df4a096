"""An answer in its two forms, each complete on its own and neither too large for a host."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import mcp_types
from pydantic import BaseModel, ConfigDict

from or_mcp.calls.schemas import plain_schema
from or_mcp.openrouter.wire.lenient import Maybe, Some, is_none

__all__ = ["FACTS", "LIMIT", "Answer", "Maybe", "Reply", "Some", "cut", "is_none", "output_schema", "to_result", "usd"]

# Claude Code puts results above 50,000 characters into a file and shows the first 2,000.
LIMIT = 48_000
# In a result's `_meta`: what programs need to know of an answer, so that none of them reads its sentences.
FACTS = "or-mcp/facts"
_ROW = 40
# What moves a cursor, turns the reading direction or hides, and halves of characters: shown as signs, so that a reader
# sees what a model sees.
# The structured form keeps every character as it came.
_SHOWN: dict[int, int] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: 0x2421,
    **dict.fromkeys([*range(0x80, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD),
    **dict.fromkeys([*range(0xD800, 0xE000), *range(0xE0000, 0xE0080)], 0xFFFD),
}


class Answer(BaseModel):
    """The structured form of a tool's answer."""

    model_config = ConfigDict(frozen=True, defer_build=True)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a tool answers. `advice` are those of its notes that say which tool to call: a terminal has other words."""

    text: str
    structured: Answer
    links: tuple[mcp_types.ResourceLink, ...] = ()
    cost_line: str = ""
    advice: tuple[str, ...] = ()


def to_result(reply: Reply, first: Sequence[str] = (), *, is_structured: bool = True) -> mcp_types.CallToolResult:
    """The answer as the protocol carries it, after what the host has to be told first.

    Tools choose what to leave out; whatever they missed has an end here.
    """
    text = cut(visible("\n".join([*first, "", reply.text] if first else [reply.text])), LIMIT, "it is too long to show")
    answer = reply.structured.model_dump(mode="json")
    if first and hasattr(reply.structured, "notes"):
        answer["notes"] = [*first, *(answer.get("notes") or ())]
    structured = _fitted(answer)
    advice = [n for n, note in enumerate(structured.get("notes") or ()) if note in reply.advice]
    of_the_run = {name: structured.get(name) for name in ("run_id", "status")}
    facts = {"cost_line": reply.cost_line, "advice": advice, **of_the_run}
    facts = {name: value for name, value in facts.items() if value}
    return mcp_types.CallToolResult(
        content=[mcp_types.TextContent(type="text", text=text), *reply.links],
        structured_content=structured if is_structured else None,
        _meta={FACTS: facts} if facts else None,
    )


def visible(words: str) -> str:
    """A text without anything that acts on a screen instead of standing on it."""
    return words.replace("\r\n", "\n").translate(_SHOWN)


def _fitted(answer: dict[str, Any]) -> dict[str, Any]:
    most, fitted = LIMIT, answer
    while len(json.dumps(fitted, ensure_ascii=False, separators=(",", ":"))) > LIMIT:
        most //= 2
        fitted = _shortened(answer, most)
    return fitted


def _shortened(value: Any, most: int) -> Any:
    match value:
        case str():
            return value if len(value) <= most else f"{value[: most - 1]}…"
        case list():
            rows = cast("list[Any]", value)
            # A row that is told has some words.
            return [_shortened(row, most) for row in rows[: max(1, most // _ROW)]]
        case dict():
            return {name: _shortened(each, most) for name, each in cast("dict[str, Any]", value).items()}
        case _:
            return value


def output_schema(answer: type[Answer]) -> dict[str, Any]:
    """The published shape of the structured form."""
    schema: Mapping[str, Any] = plain_schema(answer)
    return {name: schema[name] for name in ("type", "properties", "required") if name in schema}


def usd(amount: Decimal | None) -> float | None:
    """Money at the edge: a number rounded once, or null when it is not known."""
    return None if amount is None else float(round(amount, 10))


def cut(text: str, limit: int, rest: str) -> str:
    """Text that fits, ending with how to get the rest."""
    if len(text) <= limit:
        return text
    ending = f"… [cut: {limit:,} of {len(text):,} characters; {rest}]"
    return text[: max(0, limit - len(ending))].rstrip() + ending
