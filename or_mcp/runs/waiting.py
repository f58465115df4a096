"""How long a call may take before its host gives up on it."""

from __future__ import annotations

from or_mcp.hosts.host import Patience
from or_mcp.hosts.table import client_named

# An answer that leaves when the host's patience ends arrives too late.
_MARGIN_SECONDS = 2.0
_UNKNOWN = Patience(50, "many MCP clients give up at 60 s, SDK defaults included")


def tolerated_wait(host: str) -> float:
    """Seconds to wait before answering `running`, by the name a host gives itself."""
    client = client_named(host)
    known = client.patience if client else None
    return (known or _UNKNOWN).seconds - _MARGIN_SECONDS


def patience(host: str, chosen: float | None, asked: float | None) -> float:
    """Seconds to wait: as the call asks, else as the operator chose, else as the host is known to tolerate.

    A call that asks for more gets what the host tolerates, or what the operator knows that it tolerates.
    """
    tolerated = tolerated_wait(host)
    if asked is None:
        return tolerated if chosen is None else chosen
    return min(asked, max(tolerated, chosen or 0))
