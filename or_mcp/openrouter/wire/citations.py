"""Citations, which all answers have in common."""

from __future__ import annotations

from or_mcp.openrouter.wire.lenient import Address, Count, Lenient, Name, Reply


class Annotation(Reply):
    """A citation. Flat here, nested under its type on `/chat/completions`."""

    type: Lenient[str] = None
    url: Lenient[Address] = None
    title: Lenient[Name] = None
    start_index: Count = None
    end_index: Count = None
    content: Lenient[str] = None
