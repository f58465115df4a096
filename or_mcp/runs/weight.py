"""How much is kept of what each caller has asked, by day: it stays for as long as runs do."""

from __future__ import annotations

from datetime import datetime

from or_mcp.openrouter.errors import RateLimited
from or_mcp.runs.amounts import day_of
from or_mcp.runs.transaction import Transaction

# Sixteen times what a caller may send in an hour.
MOST_BYTES = 4 * 1024**3


class KeptTooMuch(RateLimited):
    """A caller has filled its part of the store; nothing was sent."""


def check_weight(tx: Transaction, caller: str) -> None:
    """Refuse whoever fills the store for all others.

    Raises:
        KeptTooMuch: As much is kept for this caller as may be.
    """
    (kept,) = tx.execute("SELECT coalesce(sum(bytes), 0) FROM asked WHERE caller = ?", (caller,)).fetchone()
    if kept >= MOST_BYTES:
        told = f"{kept / 1e9:.1f} GB of what you have asked are kept here, and {MOST_BYTES / 1e9:.1f} GB may be"
        raise KeptTooMuch(f"{told}: nothing more is taken until the oldest of it is forgotten")


def weigh(tx: Transaction, caller: str, size: int) -> None:
    """Count what is kept of a call."""
    tx.execute(
        "INSERT INTO asked AS a (caller, day, bytes) VALUES (?, ?, ?) "
        "ON CONFLICT (caller, day) DO UPDATE SET bytes = a.bytes + excluded.bytes",
        (caller, day_of(tx.now), size),
    )


def forget_weight(tx: Transaction, since: datetime) -> None:
    """What was asked before is kept no longer."""
    tx.execute("DELETE FROM asked WHERE day < ?", (since.date().isoformat(),))
