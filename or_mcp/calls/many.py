"""Many rows in one call, whichever tool it is: which they are, what they may cost, and what was paid before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic_core import to_json

from or_mcp.calls.arguments import Arguments
from or_mcp.calls.call import Call
from or_mcp.calls.keepsake import Shown
from or_mcp.calls.paid import Offer, Paying, place, question_of
from or_mcp.calls.reply import Reply
from or_mcp.catalogue.prices import Estimate
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.rows.earlier import Earlier, earlier_rows
from or_mcp.rows.lines import folder_in
from or_mcp.runs.budget import Room, dollars
from or_mcp.runs.store import Store

if TYPE_CHECKING:
    from or_mcp.attachments.lines import Row
    from or_mcp.openrouter.wire.batches import BatchProvider
    from or_mcp.rows.batched import Batchable, Batched
    from or_mcp.rows.work import Asks, ManyRows

MOST_ROWS = 1_000
# A file may hold more: memory bounds it, and how long one run may take.
_MOST_IN_FILE = 10_000
# What is kept of a request stays readable: more text than this is kept as its hash.
_KEPT_CHARS = 100_000
# What a batch usually costs, against one by one.
_BATCHED = Decimal("0.5")
_ABOUT_A_BATCH = "A batch: usually half price, answered within 24 hours, and fetched by any process that is there then."

ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)
AsksT = TypeVar("AsksT")
Planned = Callable[[Room], tuple[AsksT, Sequence[Estimate]]]
"""How the rows would be asked within a room, and what each of them costs then."""


@dataclass(frozen=True, slots=True)
class Carried:
    """Where rows are kept, and which of them an earlier run has brought."""

    store: Store
    folder: Path | None
    earlier: Earlier

    def left(self, estimates: Sequence[Estimate]) -> list[Estimate]:
        """What the rows cost that are still to be asked."""
        known = {row.n for row in self.earlier.rows}
        return [each for n, each in enumerate(estimates) if n not in known]


Way = Callable[[Planned[AsksT], Room, Carried], Offer]
"""How rows are carried within a room: one by one, or as a batch."""


async def rows_given(rows: Sequence[Row], rows_file: str, call: Call) -> tuple[Row, ...]:
    """The rows of a call, from whichever argument; none where neither was given.

    Raises:
        InvalidRequest: Both were given, the file may not be read, or there are too many.
    """
    if not rows_file:
        return tuple(rows)
    if rows:
        raise InvalidRequest("rows and rows_file were both given; one of them holds the rows")
    from or_mcp.attachments.lines import read_rows  # Few calls read a file, and the first one waits for imports.

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


def one_by_one(planned: Planned[Asks], room: Room, carried: Carried) -> ManyRows:
    """Several at once, as long as the next one fits."""
    from or_mcp.rows.work import ManyRows

    asks, estimates = planned(room)
    estimate = _together(carried.left(estimates), room)
    ceiling = estimate.most if estimate.most is not None else room.usd
    return ManyRows(asks, len(estimates), carried.store, carried.earlier, estimate, ceiling, carried.folder)


def as_a_batch(
    planned: Planned[Batchable],
    room: Room,
    carried: Carried,
    *,
    rows: int,
    upstream: OpenRouter,
    provider: BatchProvider | None,
) -> Batched:
    """All of them at once: each may cost its part of what there is room for.

    Raises:
        InvalidRequest: What they cost at most is not known.
    """
    from or_mcp.rows.batched import Batched

    share = max(rows - len(carried.earlier.rows), 1)
    asks, estimates = planned(Room(tuple(replace(each, usd=each.usd / share) for each in room.bounds)))
    left = carried.left(estimates)
    most, low, high = (_sum(getattr(each, name) for each in left) for name in ("most", "low", "high"))
    if most is None or low is None or high is None:
        raise InvalidRequest(f"batch takes a model whose price is known, since all is set aside; it was {asks.model}")
    estimate = Estimate(low * _BATCHED, high, most, (), (_ABOUT_A_BATCH,))
    kept = (carried.store, carried.earlier, estimate, carried.folder)
    return Batched.asked(asks, rows, *kept, upstream=upstream, provider=provider)


async def place_rows(
    call: Call,
    tool: str,
    arguments: Paying,
    planned: Planned[AsksT],
    way: Way[AsksT],
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
    store = call.parts.runner.store
    same = question_of(call, tool, arguments, attached)
    carried = Carried(store, folder_in(call.parts.data_dir), await earlier_rows(store, call.caller.id, same))
    return await place(
        call,
        tool,
        arguments,
        lambda room: way(planned, room, carried),
        models=models,
        prompt=prompt,
        attached=attached,
        shown=shown,
        wait_seconds=wait_seconds,
    )


def _together(left: Sequence[Estimate], room: Room) -> Estimate:
    """What all rows cost that are still to be asked; where that is more than there is room for, the room is the end."""
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
