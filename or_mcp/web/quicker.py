"""The protocol where httptools is installed (`or-mcp[http]`): it reads requests faster."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from or_mcp.web.protocol import Hurrying


class QuickerProtocol(Hurrying, HttpToolsProtocol):  # type: ignore[misc]
    """On a parser written in C."""
