"""Who is carrying a run, where machines share a database: each process renews a row, judged by the database's clock.

A process that could not see the database judges nobody until all others have had time to be seen again.
"""

from __future__ import annotations

import socket
from time import monotonic

from or_mcp import __version__
from or_mcp.runs.ledger import UNDER_WAY
from or_mcp.runs.transaction import Transaction

# Six beats of five seconds: longer than a database takes to change over, or a busy machine to come round.
LOST_AFTER_SECONDS = 30.0
# Three beats missing: this process was cut off, or stood still, and others may have been too.
_GAP_SECONDS = 15.0

_CLOCK = "clock AS (SELECT CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION) AS now)"
# One statement, since hundreds of idle processes do it. What it selects is as it was before: the beat of last time.
_BEAT = f"""
    WITH {_CLOCK}, mine AS (
        INSERT INTO processes (token, host, version, beat) SELECT ?, ?, ?, now FROM clock
        ON CONFLICT (token) DO UPDATE SET beat = excluded.beat
    )
    SELECT
        (SELECT now - beat FROM processes, clock WHERE token = ?),
        (
            SELECT json_object_agg(run_id, owner) FROM runs, clock WHERE {UNDER_WAY} AND owner <> ? AND NOT EXISTS (
                SELECT 1 FROM processes p WHERE p.token = owner AND p.beat > now - {LOST_AFTER_SECONDS}
            )
        )
"""  # noqa: S608


class Lease:
    """This process, as the others see it."""

    def __init__(self, token: str) -> None:
        self._host = socket.gethostname()
        self.token = token
        self._seen_since = monotonic()

    def beat(self, tx: Transaction) -> dict[str, str]:
        """Have this process seen; the runs whose carriers have not been seen for too long, and these."""
        gap, strays = tx.execute(_BEAT, (self.token, self._host, __version__, self.token, self.token)).fetchone()
        if gap is None or gap > _GAP_SECONDS:
            self._seen_since = monotonic()
        return strays or {} if monotonic() - self._seen_since >= LOST_AFTER_SECONDS else {}

    def leave(self, tx: Transaction) -> None:
        """This process ends."""
        tx.execute("DELETE FROM processes WHERE token = ?", (self.token,))


def forget_processes(tx: Transaction) -> None:
    """Drop rows of processes that ended in no good order, long ago."""
    tx.execute("DELETE FROM processes WHERE beat < ?", (tx.now - 24 * 3600.0,))
