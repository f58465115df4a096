"""`/embeddings` and `/rerank`."""

from __future__ import annotations

from typing import Any

from or_mcp.openrouter.wire.lenient import Lenient, Name, Number, Reply, Rows
from or_mcp.openrouter.wire.routing import Provider
from or_mcp.openrouter.wire.sessions import SessionRequest
from or_mcp.openrouter.wire.usage import Usage


class EmbeddingsRequest(SessionRequest):
    """What is sent to `/embeddings`."""

    model: str
    input: tuple[str, ...]
    dimensions: int | None = None
    encoding_format: str = "base64"
    input_type: str | None = None
    provider: Provider | None = None


class Embedding(Reply):
    """One vector: numbers, or base64 of little-endian float32."""

    index: Lenient[int] = None
    embedding: str | tuple[float, ...]


class EmbeddingsReply(Reply):
    """The vectors."""

    id: Lenient[Name] = None
    model: Lenient[Name] = None
    data: tuple[Embedding, ...]
    usage: Lenient[Usage] = None


class RerankRequest(SessionRequest):
    """What is sent to `/rerank`."""

    model: str
    query: str
    documents: tuple[str, ...]
    top_n: int | None = None
    provider: Provider | None = None


class RerankResult(Reply):
    """One document with its relevance."""

    index: int
    relevance_score: Number = None
    document: Lenient[dict[str, Any]] = None


class RerankReply(Reply):
    """The documents, best first."""

    id: Lenient[Name] = None
    model: Lenient[Name] = None
    provider: Lenient[Name] = None
    results: Rows[RerankResult] = ()
    usage: Lenient[Usage] = None
