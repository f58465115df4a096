"""Whether answers have their structured form beside the text."""

from __future__ import annotations

from or_mcp.hosts.table import client_named


class Shape:
    """The shape of a connection's answers: found once, since its tools have listed what their answers hold."""

    def __init__(self, chosen: bool | None) -> None:
        self._is_structured = chosen

    def is_structured(self, client: str) -> bool:
        """Whether a program gets the structured form too: not where its model would read, and pay for, both."""
        if self._is_structured is None:
            known = client_named(client)
            self._is_structured = known is None or not known.shows_both
        return self._is_structured
