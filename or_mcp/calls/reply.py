"""An answer in its two forms, each complete on its own and neither too large for a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import mcp_types
from pydantic import BaseModel, ConfigDict

from or_mcp.calls.quoting import visible
from or_mcp.calls.schemas import plain_schema
from or_mcp.openrouter.wire.lenient import Maybe, is_none

__all__ = ["LIMIT", "Answer", "Maybe", "Reply", "cut", "is_none", "output_schema", "to_result", "usd"]

# Claude Code puts results above 50,000 characters into a file and shows the first 2,000.
LIMIT = 48_000


class Answer(BaseModel):
    """The structured form of a tool's answer."""

    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a tool answers."""

    text: str
    structured: Answer
    links: tuple[mcp_types.ResourceLink, ...] = ()


def to_result(reply: Reply) -> mcp_types.CallToolResult:
    """The answer as the protocol carries it."""
    return mcp_types.CallToolResult(
        content=[mcp_types.TextContent(type="text", text=visible(reply.text)), *reply.links],
        structured_content=reply.structured.model_dump(mode="json"),
    )


def output_schema(answer: type[Answer]) -> dict[str, Any]:
    """The published shape of the structured form."""
    schema: Mapping[str, Any] = plain_schema(answer)
    return {name: schema[name] for name in ("type", "properties", "required") if name in schema}


def usd(amount: Decimal | None) -> float | None:
    """Money at the edge: a number rounded once, or null when it is not known."""
    return None if amount is None else float(round(amount, 10))


def cut(text: str, limit: int, rest: str) -> str:
    """Text that fits, ending with how to get the rest."""
    if len(text) <= limit:
        return text
    ending = f"… [cut: {limit:,} of {len(text):,} characters; {rest}]"
    return text[: max(0, limit - len(ending))].rstrip() + ending
