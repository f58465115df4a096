"""How long a call may take before its host gives up on it."""

from __future__ import annotations

from dataclasses import dataclass

# An answer that leaves when the host's patience ends arrives too late.
_MARGIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Host:
    """What one host tolerates, and how that is known."""

    name: str
    seconds: float
    source: str


UNKNOWN = Host("", 50, "many MCP clients give up at 60 s, SDK defaults included")
HOSTS: tuple[Host, ...] = (
    Host("claude-code", 900, "its tool timeout is 27.8 h by default, and progress resets its idle timer"),
    Host("claude-ai", 50, "connectors are cut at about 60 s"),
    Host("claude", 230, "Claude Desktop cuts at 4 minutes, whatever progress says"),
    Host("codex", 290, "cuts at 300 s, whatever progress says"),
    Host("gemini-cli", 590, "its timeout is 10 minutes"),
    Host("cursor", 50, "reports of about 60 s"),
    Host("visual studio code", 900, "no limit found"),
    Host("vscode", 900, "no limit found"),
    Host("or-mcp", 86_400, "our own terminal waits for the run"),
)


def tolerated_wait(host: str) -> float:
    """Seconds to wait before answering `running`, by the name a host gives itself."""
    name = host.strip().lower()
    found = next((row for row in HOSTS if name.startswith(row.name)), UNKNOWN)
    return found.seconds - _MARGIN_SECONDS


def patience(host: str, chosen: float | None, asked: float | None) -> float:
    """Seconds to wait: as the call asks, else as the operator chose, else as the host is known to tolerate.

    A call that asks for more gets what the host tolerates, or what the operator knows that it tolerates.
    """
    tolerated = tolerated_wait(host)
    if asked is None:
        return tolerated if chosen is None else chosen
    return min(asked, max(tolerated, chosen or 0))
