"""What an answer used, whichever path told it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from or_mcp.openrouter.wire import usage as wire
from or_mcp.openrouter.wire.lenient import Maybe


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, and the searches that upstream made."""

    input_tokens: Maybe[int] = None
    output_tokens: Maybe[int] = None
    total_tokens: Maybe[int] = None
    reasoning_tokens: Maybe[int] = None
    cached_tokens: Maybe[int] = None
    cache_write_tokens: Maybe[int] = None
    web_searches: Maybe[int] = None

    @classmethod
    def of(cls, told: wire.Usage) -> Self:
        """What upstream told."""
        read, written, tools = told.input_tokens_details, told.output_tokens_details, told.server_tool_use_details
        return cls(
            told.input_tokens,
            told.output_tokens,
            told.total_tokens,
            written.reasoning_tokens if written else None,
            read.cached_tokens if read else None,
            read.cache_write_tokens if read else None,
            tools.web_search_requests if tools else None,
        )
