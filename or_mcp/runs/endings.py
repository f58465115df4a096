"""How a run ends when nothing upstream ended it."""

from __future__ import annotations

from or_mcp.openrouter.errors import DeadlinePassed, Failure, TimeMayHelp
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


def our_fault() -> Crash:
    """A run of ours crashed; it may have been billed."""
    return Crash("or-mcp itself failed", may_be_billed=True)


def too_long(seconds: float) -> DeadlinePassed:
    """A run took longer than it may."""
    words = f"The run was stopped after {seconds:.0f} s (OR_MCP_RUN_DEADLINE_SECONDS)"
    return DeadlinePassed(words, may_be_billed=True)


def stopped(status: Status) -> Failure:
    """Why a run that somebody or something stopped has no end of its own."""
    words = (
        "The run was cancelled; what was already generated may be billed"
        if status == "cancelled"
        else "The run was interrupted when its process ended; what was already generated may be billed"
    )
    return Cancelled(words, may_be_billed=True)
