"""What a model with tools did, step by step, as rows of its run: each is on disk before the next thing happens.

A step is what the model said; the calls that it made in it follow, each in a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from pydantic import JsonValue, TypeAdapter

from or_mcp.conversation.state import CalledTool
from or_mcp.conversation.thread import ON_SHELF, Message
from or_mcp.openrouter.wire.lenient import Maybe
from or_mcp.runs.budget import dollars
from or_mcp.runs.rows import Row

# Rows of one step: its own, and one for each call. More calls at once are refused.
STEP, MOST_CALLS = 100, 32
NOT_DONE = "Not carried out: the run had ended before, or too much was called at once. Call it again if need be."
IN_DOUBT = "Not known whether it was carried out: the program ended meanwhile. Find out before you call it again."


@dataclass(frozen=True, slots=True)
class Spoke:
    """What a model said in a step."""

    message: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Used:
    """A call of a tool: by whose word it ran, and what came of it; pictures as they stand on the shelf."""

    call_id: str
    name: str
    arguments: str
    allowed_by: str = ""
    seconds: Maybe[float] = None
    output: Maybe[str] = None
    pictures: tuple[str, ...] = ()


_SPOKE: TypeAdapter[Spoke] = TypeAdapter(Spoke)
_USED: TypeAdapter[Used] = TypeAdapter(Used)


def step_row(step: int, message: Message, cost_usd: Decimal | None) -> Row:
    """A step that was answered."""
    return Row(step * STEP, "answered", _SPOKE.dump_json(Spoke(message)).decode(), cost_usd)


def call_rows(step: int, calls: Iterable[CalledTool]) -> list[Row]:
    """The calls of a step, before any is carried out."""
    rows = (Used(call.call_id, call.name, call.arguments) for call in calls)
    return [used_row(step, at, used) for at, used in enumerate(rows)]


def used_row(step: int, at: int, used: Used, *, failed: bool = False) -> Row:
    """A call as it stands: not begun, on its way, or with what came of it."""
    done = used.output is not None
    state = ("failed" if failed else "answered") if done else ("sent" if used.allowed_by else "open")
    return Row(step * STEP + 1 + at, state, _USED.dump_json(used).decode(), Decimal(0))


def used_in(row: Row) -> Used:
    """The call of a row."""
    return _USED.validate_json(row.body)


def messages_of(rows: Iterable[Row]) -> list[Message]:
    """All that was said and came back, as the next turn sends it; every call has an output, if only a reason."""
    found: dict[int, list[Message]] = {}
    for row in sorted(rows, key=lambda row: row.n):
        step, at = divmod(row.n, STEP)
        if not at and row.state == "answered":
            found[step] = [dict(_SPOKE.validate_json(row.body).message)]
        elif at and step in found:
            found[step].append(_output(used_in(row), row.state))
    messages: list[Message] = []
    for said, *outputs in found.values():
        beyond = cast("list[Message]", said.get("tool_calls") or [])[len(outputs) :]
        messages += [said, *outputs, *(_output(Used(str(call["id"]), "", "")) for call in beyond)]
    return messages


def _output(used: Used, state: str = "") -> Message:
    told = used.output or (IN_DOUBT if state == "sent" else NOT_DONE)
    message: Message = {"role": "tool", "tool_call_id": used.call_id, "content": told}
    images = [{"type": "image_url", "image_url": {"url": f"{ON_SHELF}{stored}"}} for stored in used.pictures]
    return message | ({"images": images} if images else {})


def functions_of(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The functions that were called, by name alone: where calls are told of, some makers ask for functions."""
    called = (call for message in messages for call in cast("list[Message]", message.get("tool_calls") or []))
    names = dict.fromkeys(str(call["function"]["name"]) for call in called)
    empty: Message = {"type": "object", "properties": {}}
    return tuple({"type": "function", "function": {"name": name, "parameters": empty}} for name in names)


def told(rows: Iterable[Row]) -> Iterator[str]:
    """The trace, for a reader: who said and did what, by whose word, in how long, and for how much."""
    for row in sorted(rows, key=lambda row: row.n):
        step, at = divmod(row.n, STEP)
        cost = "unknown" if row.cost_usd is None else dollars(row.cost_usd)
        if at:
            used = used_in(row)
            by = f", by {used.allowed_by}" if used.allowed_by else ""
            seconds = f", {used.seconds} s" if used.seconds is not None else ""
            yield f"step {step} call {used.name} {row.state}{by}{seconds}: {used.arguments or '{}'}"
            yield from (used.output,) if used.output is not None else ()
        elif row.state == "answered":
            yield f"step {step} answered, {cost}: {_SPOKE.validate_json(row.body).message.get('content') or ''}"
        else:
            yield f"step {step} {row.state}, at most {cost}"


def done_in(rows: Iterable[Row]) -> int:
    """How many calls were carried out, or may have been."""
    return sum(row.state in ("sent", "answered") for row in rows if row.n % STEP)


def steps_in(rows: Iterable[Row]) -> int:
    """How many steps were sent."""
    return sum(row.n % STEP == 0 for row in rows)
