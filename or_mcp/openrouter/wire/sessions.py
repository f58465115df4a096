"""Sessions: a name by which upstream groups what belongs together, and sends it to the same provider again."""

from __future__ import annotations

import secrets

from pydantic import Field

from or_mcp.openrouter.wire.request import Request


def new_session() -> str:
    """A name that nobody has used."""
    return f"or-mcp-{secrets.token_hex(12)}"


class SessionRequest(Request):
    """A paid request; whoever sends several that belong together gives them one name."""

    session_id: str = Field(default_factory=new_session)
