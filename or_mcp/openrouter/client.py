"""One short method per path of the API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import quote

import anyio
from pydantic import BaseModel

from or_mcp.openrouter.errors import DeadlinePassed
from or_mcp.openrouter.paths import READ_SECONDS, Paths, quoted
from or_mcp.openrouter.reading import chat_chunks
from or_mcp.openrouter.wire.account import (
    ActivityReply,
    ActivityRow,
    CodeExchange,
    Credits,
    CreditsReply,
    Generation,
    GenerationReply,
    IssuedKey,
    Key,
    KeyReply,
)
from or_mcp.openrouter.wire.chat import ChatChunk, ChatRequest
from or_mcp.openrouter.wire.models import Model, ModelList, ModelReply

if TYPE_CHECKING:
    from or_mcp.openrouter.media import Media
    from or_mcp.openrouter.wire.batches import Batch, BatchRequest
    from or_mcp.openrouter.wire.benchmarks import Benchmark
    from or_mcp.openrouter.wire.decisions import DecisionsReply, DecisionsRequest
    from or_mcp.openrouter.wire.embeddings import EmbeddingsReply, EmbeddingsRequest, RerankReply, RerankRequest
    from or_mcp.openrouter.wire.endpoints import Endpoint, ListedProvider, ModelEndpoints
    from or_mcp.openrouter.wire.responses import ResponseEvent, ResponsesRequest

# The results of a batch are as many as its requests: tens of megabytes.
_ALL_RESULTS_SECONDS = 300.0
# It stands beside /v1, wherever that is.
_DECISIONS = "../alpha/decisions"
# Fifty times a thousand models: an end, should upstream's links lead in a circle.
_PAGES = 50

ModelT = TypeVar("ModelT", bound=BaseModel)


class Stream(Generic[ModelT]):
    """Events of a paid answer as they arrive; `generation_id` is known from the first byte."""

    def __init__(self, generation_id: str | None, events: AsyncIterator[ModelT]) -> None:
        self.generation_id = generation_id
        self._events = events

    def __aiter__(self) -> AsyncIterator[ModelT]:
        return self._events


class OpenRouter(Paths):
    """The API, with one key.

    A shape is imported by the method that reads it, but for what most calls need: there are many, and a start waits.
    """

    @property
    def media(self) -> Media:
        """Pictures, sound and video."""
        from or_mcp.openrouter.media import Media

        return Media(self)

    # Paid

    @asynccontextmanager
    async def responses(self, request: ResponsesRequest) -> AsyncGenerator[Stream[ResponseEvent]]:
        """Answer through `/responses`; leaving the block early cancels the work."""
        from or_mcp.openrouter.events import response_events

        async with self.paid("/responses", request) as reply:
            yield Stream(reply.generation_id, response_events(reply))

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncGenerator[Stream[ChatChunk]]:
        """Answer through `/chat/completions`; leaving the block early cancels the work."""
        async with self.paid("/chat/completions", request) as reply:
            yield Stream(reply.generation_id, chat_chunks(reply))

    async def embeddings(self, request: EmbeddingsRequest) -> EmbeddingsReply:
        """Vectors for texts."""
        from or_mcp.openrouter.wire.embeddings import EmbeddingsReply

        return await self.post("/embeddings", request, EmbeddingsReply)

    async def rerank(self, request: RerankRequest) -> RerankReply:
        """Documents ordered by relevance."""
        from or_mcp.openrouter.wire.embeddings import RerankReply

        return await self.post("/rerank", request, RerankReply)

    async def start_batch(self, request: BatchRequest) -> Batch:
        """Many requests as one job, which upstream carries from then on."""
        from or_mcp.openrouter.wire.batches import Batch

        return await self.post("/batches", request, Batch)

    async def decisions(self, request: DecisionsRequest) -> DecisionsReply:
        """Typed questions about a state, answered with probabilities."""
        from or_mcp.openrouter.wire.decisions import DecisionsReply

        return await self.post(_DECISIONS, request, DecisionsReply)

    # Free

    async def batch(self, batch_id: str) -> Batch:
        """How a batch stands, with its results once it is over.

        Raises:
            NotFound: Upstream does not know it, or no longer.
        """
        from or_mcp.openrouter.wire.batches import Batch

        return await self.get(f"/batches/{quote(batch_id, safe='')}", Batch, seconds=_ALL_RESULTS_SECONDS)

    async def batches(self) -> tuple[Batch, ...]:
        """The newest batches of this key, without their results."""
        from or_mcp.openrouter.wire.batches import BatchList

        return (await self.get("/batches", BatchList)).data

    async def models(self) -> tuple[Model, ...]:
        """Every model of every modality (upstream lists only those with text output unless asked)."""
        return await self._pages("/models", {"output_modalities": "all"})

    async def embedding_models(self) -> tuple[Model, ...]:
        """Every embedding model."""
        return await self._pages("/embeddings/models", {})

    async def model(self, slug: str) -> Model:
        """One model, by its name, an alias or a variant.

        Raises:
            NotFound: There is no such model.
        """
        return (await self.get(f"/model/{quoted(slug)}", ModelReply)).data

    async def endpoints(self, slug: str) -> ModelEndpoints:
        """Who serves a model.

        Raises:
            NotFound: There is no such model.
        """
        from or_mcp.openrouter.wire.endpoints import ModelEndpointsReply

        return (await self.get(f"/models/{quoted(slug)}/endpoints", ModelEndpointsReply)).data

    async def zdr_endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint that keeps nothing."""
        from or_mcp.openrouter.wire.endpoints import EndpointList

        return (await self.get("/endpoints/zdr", EndpointList)).data

    async def providers(self) -> tuple[ListedProvider, ...]:
        """Every provider."""
        from or_mcp.openrouter.wire.endpoints import ProviderList

        return (await self.get("/providers", ProviderList)).data

    async def benchmarks(self) -> tuple[Benchmark, ...]:
        """How models did in upstream's own tests, and what a task cost."""
        from or_mcp.openrouter.wire.benchmarks import BenchmarkList

        return (await self.get("/benchmarks", BenchmarkList, {"source": "openrouter"})).data

    async def exchange_code(self, code: str, verifier: str) -> str:
        """The key that a user allowed in a browser. A code works once.

        Raises:
            NotAuthorized: The code is wrong, was used, or is too old.
        """
        request = CodeExchange(code=code, code_verifier=verifier)
        try:
            with anyio.fail_after(READ_SECONDS):
                return (await self.post("/auth/keys", request, IssuedKey)).key
        except TimeoutError as error:
            raise DeadlinePassed(f"OpenRouter did not answer /auth/keys within {READ_SECONDS:.0f} s") from error

    async def key_status(self) -> Key:
        """What this key may spend and has spent."""
        return (await self.get("/key", KeyReply)).data

    async def credits(self) -> Credits:
        """The account's credit. Only a management key may see it."""
        return (await self.get("/credits", CreditsReply)).data

    async def activity(self, date: str | None = None) -> tuple[ActivityRow, ...]:
        """The account's use, by day and model. Only a management key may see it."""
        return (await self.get("/activity", ActivityReply, {"date": date} if date else None)).data

    async def generation(self, generation_id: str) -> Generation:
        """What one request became.

        Raises:
            NotFound: Upstream does not know it (yet: it appears some seconds after the call).
        """
        params = {"id": generation_id.removeprefix("resp_")}
        return (await self.get("/generation", GenerationReply, params)).data

    async def _pages(self, path: str, params: dict[str, str]) -> tuple[Model, ...]:
        rows: dict[str, Model] = {}
        for _ in range(_PAGES):
            page = await self.get(path, ModelList, params)
            fresh = {model.id: model for model in page.data if model.id not in rows}
            rows |= fresh
            if not fresh or page.links is None or not page.links.next:
                break
            params = params | {"offset": str(len(rows)), "limit": "1000"}
        return tuple(rows.values())


def prepare() -> None:
    """Build the shapes of a stream now, not when the first event arrives."""
    for shape in (ChatRequest, ChatChunk):
        shape.model_rebuild()
