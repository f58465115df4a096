"""Calling `embed` as a host does."""

from __future__ import annotations

from typing import Any

from mcp import Client

from tests.conftest import Upstream, text_of

MODEL = "openai/text-embedding-3-small"


async def embed(client: Client, **arguments: Any) -> dict[str, Any]:
    """The structured answer of a call that works."""
    result = await client.call_tool("embed", {"model": MODEL, "dimensions": 16, **arguments})
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    return result.structured_content


async def refusal(client: Client, **arguments: Any) -> str:
    """The text of a call that fails."""
    result = await client.call_tool("embed", {"model": MODEL, "dimensions": 16, **arguments})
    assert result.is_error, text_of(result)
    return text_of(result)


def sent(upstream: Upstream) -> list[list[str]]:
    """The texts of every request, batch by batch."""
    return [post.body["input"] for post in upstream.posts("/embeddings")]


def words(count: int) -> list[str]:
    """Short texts, each different."""
    return [f"word-{n:05}" for n in range(count)]
