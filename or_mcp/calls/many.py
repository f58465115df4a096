"""Many rows in one call, whichever tool it is: which they are, what they may cost, and what was paid before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import TypeVar

from pydantic_core import to_json

from or_mcp.attachments.lines import Row, read_rows
from or_mcp.calls.arguments import Arguments
from or_mcp.calls.call import Call
from or_mcp.calls.keepsake import Shown
from or_mcp.calls.paid import Paying, place, question_of
from or_mcp.calls.reply import Reply
from or_mcp.catalogue.prices import Estimate
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.rows.earlier import Earlier, earlier_rows
from or_mcp.rows.lines import FOLDER
from or_mcp.rows.work import Asks, ManyRows
from or_mcp.runs.budget import Room, dollars

MOST_ROWS = 1_000
# A file may hold more: memory bounds it, and how long one run may take.
_MOST_IN_FILE = 10_000
# What is kept of a request stays readable: more text than this is kept as its hash.
_KEPT_CHARS = 100_000

ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)
Planned = Callable[[Room], tuple[Asks, Sequence[Estimate]]]
"""How the rows would be asked within a room, and what each of them costs then."""


async def rows_given(rows: Sequence[Row], rows_file: str, call: Call) -> tuple[Row, ...]:
    """The rows of a call, from whichever argument; none where neither was given.

    Raises:
        InvalidRequest: Both were given, the file may not be read, or there are too many.
    """
    if not rows_file:
        return tuple(rows)
    if rows:
        raise InvalidRequest("rows and rows_file were both given; one of them holds the rows")
    found = await read_rows(rows_file, await call.sandbox())
    if len(found) > _MOST_IN_FILE:
        raise InvalidRequest(f"rows_file has {len(found):,} rows; it takes at most {_MOST_IN_FILE:,}. Split it")
    return found


def digest_of_rows(rows: Sequence[Row]) -> str:
    """The same for the same rows, in whichever file they are."""
    return sha256(to_json(rows)).hexdigest() if rows else ""


def kept_short(arguments: ArgumentsT, rows: Sequence[Row]) -> ArgumentsT:
    """The arguments as they are kept: without the rows, where those are long."""
    return arguments if len(to_json(rows)) <= _KEPT_CHARS else arguments.model_copy(update={"rows": ()})


async def place_rows(
    call: Call,
    tool: str,
    arguments: Paying,
    planned: Planned,
    *,
    models: tuple[str, ...],
    prompt: str,
    attached: str,
    shown: Shown,
    wait_seconds: float | None,
) -> Reply:
    """Carry the rows out as one run that goes on where an earlier one of the same question ended.

    Raises:
        Failure: It was refused, or no row was answered.
    """
    store, data_dir = call.parts.runner.store, call.parts.data_dir
    folder = data_dir / FOLDER if data_dir is not None else None
    same = question_of(call, tool, arguments, attached)
    earlier = await earlier_rows(store, call.caller.id, same)

    def offered(room: Room) -> ManyRows:
        asks, estimates = planned(room)
        estimate = _together(estimates, earlier, room)
        ceiling = estimate.most if estimate.most is not None else room.usd
        return ManyRows(asks, len(estimates), store, earlier, estimate, ceiling, folder)

    return await place(
        call,
        tool,
        arguments,
        offered,
        models=models,
        prompt=prompt,
        attached=attached,
        shown=shown,
        wait_seconds=wait_seconds,
    )


def _together(estimates: Sequence[Estimate], earlier: Earlier, room: Room) -> Estimate:
    """What all rows cost that are still to be asked; where that is more than there is room for, the room is the end."""
    known = {row.n for row in earlier.rows}
    left = [each for n, each in enumerate(estimates) if n not in known]
    unknown = tuple(dict.fromkeys(reason for each in left for reason in each.unknown))
    most, first = _sum(each.most for each in left), left[0].most if left else Decimal(0)
    notes: tuple[str, ...] = ()
    if most is not None and first is not None and room.usd is not None and most > room.usd >= first:
        notes = (f"All rows can cost up to {dollars(most)}: the run ends when the next no longer fits ({room.by}).",)
        most = room.usd
    if unknown:
        return Estimate(None, None, most, unknown, notes)
    low, high = _sum(each.low for each in left), _sum(each.high for each in left)
    return Estimate(_within(low, most), _within(high, most), most, (), notes)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    found = list(amounts)
    return None if None in found else sum((each for each in found if each is not None), Decimal(0))


def _within(amount: Decimal | None, most: Decimal | None) -> Decimal | None:
    return amount if amount is None or most is None else min(amount, most)
