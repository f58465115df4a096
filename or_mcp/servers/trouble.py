"""What can go wrong with a server of somebody else's."""

from __future__ import annotations

from or_mcp.openrouter.errors import CallerCanAct


class ServerTrouble(CallerCanAct):
    """A server did not start, ended, hung, or said what cannot be read."""

    kind = "server_trouble"
