"""What an earlier run of the same question has brought: it is not paid for again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from or_mcp.openrouter.errors import ConnectionFailed, from_facts
from or_mcp.runs.queries import latest_like
from or_mcp.runs.rows import Row
from or_mcp.runs.store import Store

# A row that was on its way when its process died may have been billed: it is not sent again unasked.
_LOST = ConnectionFailed(
    "It was on its way when its process ended, and may have been billed; call again to ask it again", may_be_billed=True
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The rows that are taken over, and from which run."""

    run_id: str | None = None
    rows: tuple[Row, ...] = ()


async def earlier_rows(store: Store, caller: str, fingerprint: str) -> Earlier:
    """What may be taken over from the newest run of the same question; nothing if that one has brought everything.

    A question that was answered in full, and is asked again, is a new one.
    """
    found = await store.read(partial(latest_like, caller=caller, fingerprint=fingerprint))
    if found is None or (found.status == "completed" and found.outcome is None):
        return Earlier()
    untold = found.status != "completed"
    return Earlier(found.run_id, tuple(_taken(row) for row in found.rows if _is_taken(row, untold=untold)))


def _is_taken(row: Row, *, untold: bool) -> bool:
    """A row that may have been billed is asked again only by whoever has been told."""
    in_doubt = row.state == "sent" or (untold and row.state == "failed" and from_facts(row.body).may_be_billed)
    return row.state == "answered" or in_doubt


def _taken(row: Row) -> Row:
    return replace(row, state="failed", body=_LOST.facts()) if row.state == "sent" else row
