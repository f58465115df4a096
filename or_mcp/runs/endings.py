"""How a run ends when nothing upstream ended it."""

from __future__ import annotations

from or_mcp.openrouter.errors import Failure, TimeMayHelp
from or_mcp.runs.record import Cancelled, Status


class Ending(TimeMayHelp):
    """This process takes no new runs."""

    kind = "connection_failed"


class Crash(Failure):
    """Our own bug."""

    kind = "internal"


class StoreAway(Crash):
    """The run store cannot be used now; what cannot be recorded is not sent."""


class StoreBriefly(StoreAway):
    """It is likely to be back in a moment, and was waited for."""


class StoreLocked(StoreBriefly):
    """Another program holds it."""


class StoreUnreachable(StoreBriefly):
    """Its server does not answer."""


def stopped(status: Status) -> Failure:
    """Why a run that somebody or something stopped has no end of its own."""
    words = (
        "The run was cancelled; what was already generated may be billed"
        if status == "cancelled"
        else "The run was interrupted when its process ended; what was already generated may be billed"
    )
    return Cancelled(words, may_be_billed=True)
