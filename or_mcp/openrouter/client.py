"""One short method per path of the API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Generic, TypeVar
from urllib.parse import quote

import anyio
import anyio.to_thread
from pydantic import BaseModel

from or_mcp.openrouter.demands import Demand, explaining
from or_mcp.openrouter.errors import DeadlinePassed, ModelUnavailable, NotFound
from or_mcp.openrouter.http import Http, OpenReply
from or_mcp.openrouter.reading import LONG_BYTES, chat_chunks, read_reply, response_events
from or_mcp.openrouter.retry import ATTEMPTS
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
from or_mcp.openrouter.wire.batches import Batch, BatchList, BatchRequest
from or_mcp.openrouter.wire.benchmarks import Benchmark, BenchmarkList
from or_mcp.openrouter.wire.chat import ChatChunk, ChatRequest
from or_mcp.openrouter.wire.decisions import DecisionsReply, DecisionsRequest
from or_mcp.openrouter.wire.embeddings import EmbeddingsReply, EmbeddingsRequest, RerankReply, RerankRequest
from or_mcp.openrouter.wire.endpoints import (
    Endpoint,
    EndpointList,
    ListedProvider,
    ModelEndpoints,
    ModelEndpointsReply,
    ProviderList,
)
from or_mcp.openrouter.wire.media import (
    ImageEndpoint,
    ImageEndpoints,
    ImageRequest,
    ImagesReply,
    SpeechRequest,
    Transcript,
    TranscriptRequest,
    VideoJob,
    VideoModel,
    VideoModels,
    VideoRequest,
)
from or_mcp.openrouter.wire.models import Model, ModelList, ModelReply
from or_mcp.openrouter.wire.request import Request
from or_mcp.openrouter.wire.responses import ResponseEvent, ResponsesRequest

# The list of all models is megabytes, and comes within seconds; whatever takes longer has failed.
READ_SECONDS = 30.0
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


class OpenRouter:
    """The API, with one key. `with_key` gives the same connection with another."""

    def __init__(self, http: Http, key: str | None, demands: Sequence[Demand] = (), attempts: int = ATTEMPTS) -> None:
        self._http = http
        self._demands = demands
        self._attempts = attempts
        self.key = key

    def with_key(self, key: str | None) -> OpenRouter:
        """The same connection, paying with another key."""
        return OpenRouter(self._http, key, self._demands, self._attempts)

    def at_first_try(self) -> OpenRouter:
        """The same connection for whoever sees to retries himself: a paid request that is refused is not repeated."""
        return OpenRouter(self._http, self.key, self._demands, 1)

    # Paid

    @asynccontextmanager
    async def responses(self, request: ResponsesRequest) -> AsyncGenerator[Stream[ResponseEvent]]:
        """Answer through `/responses`; leaving the block early cancels the work."""
        async with self._paid("/responses", request) as reply:
            yield Stream(reply.generation_id, response_events(reply))

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncGenerator[Stream[ChatChunk]]:
        """Answer through `/chat/completions`; leaving the block early cancels the work."""
        async with self._paid("/chat/completions", request) as reply:
            yield Stream(reply.generation_id, chat_chunks(reply))

    async def embeddings(self, request: EmbeddingsRequest) -> EmbeddingsReply:
        """Vectors for texts."""
        return await self._post("/embeddings", request, EmbeddingsReply)

    async def rerank(self, request: RerankRequest) -> RerankReply:
        """Documents ordered by relevance."""
        return await self._post("/rerank", request, RerankReply)

    async def images(self, request: ImageRequest) -> tuple[ImagesReply, str | None]:
        """Pictures, each as base64, and the generation's id."""
        return await self._told("/images", request, ImagesReply)

    @asynccontextmanager
    async def speech(self, request: SpeechRequest) -> AsyncGenerator[OpenReply]:
        """A text as sound, as its bytes arrive."""
        async with self._paid("/audio/speech", request) as reply:
            yield reply

    async def transcript(self, request: TranscriptRequest) -> tuple[Transcript, str | None]:
        """What was said in a sound, and the generation's id."""
        return await self._told("/audio/transcriptions", request, Transcript)

    async def start_video(self, request: VideoRequest) -> VideoJob:
        """The job of a video, which upstream carries from then on."""
        return await self._post("/videos", request, VideoJob)

    async def start_batch(self, request: BatchRequest) -> Batch:
        """Many requests as one job, which upstream carries from then on."""
        return await self._post("/batches", request, Batch)

    async def decisions(self, request: DecisionsRequest) -> DecisionsReply:
        """Typed questions about a state, answered with probabilities."""
        return await self._post(_DECISIONS, request, DecisionsReply)

    # Free

    async def video(self, job_id: str) -> VideoJob:
        """How the job of a video stands.

        Raises:
            NotFound: Upstream does not know it, or no longer.
        """
        return await self._get(f"/videos/{quote(job_id, safe='')}", VideoJob)

    @asynccontextmanager
    async def video_content(self, job_id: str, index: int) -> AsyncGenerator[OpenReply]:
        """A video that is done, as its bytes arrive."""
        path = f"/videos/{quote(job_id, safe='')}/content"
        async with self._http.download(path, self.key, {"index": str(index)}) as reply:
            yield reply

    async def batch(self, batch_id: str) -> Batch:
        """How a batch stands, with its results once it is over.

        Raises:
            NotFound: Upstream does not know it, or no longer.
        """
        return await self._get(f"/batches/{quote(batch_id, safe='')}", Batch, seconds=_ALL_RESULTS_SECONDS)

    async def batches(self) -> tuple[Batch, ...]:
        """The newest batches of this key, without their results."""
        return (await self._get("/batches", BatchList)).data

    async def video_models(self) -> tuple[VideoModel, ...]:
        """Every model that films, with its prices."""
        return (await self._get("/videos/models", VideoModels)).data

    async def image_endpoints(self, slug: str) -> tuple[ImageEndpoint, ...]:
        """Who draws with a model, with their prices.

        Raises:
            NotFound: There is no such model.
        """
        return (await self._get(f"/images/models/{_path(slug)}/endpoints", ImageEndpoints)).endpoints

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
        return (await self._get(f"/model/{_path(slug)}", ModelReply)).data

    async def endpoints(self, slug: str) -> ModelEndpoints:
        """Who serves a model.

        Raises:
            NotFound: There is no such model.
        """
        return (await self._get(f"/models/{_path(slug)}/endpoints", ModelEndpointsReply)).data

    async def zdr_endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint that keeps nothing."""
        return (await self._get("/endpoints/zdr", EndpointList)).data

    async def providers(self) -> tuple[ListedProvider, ...]:
        """Every provider."""
        return (await self._get("/providers", ProviderList)).data

    async def benchmarks(self) -> tuple[Benchmark, ...]:
        """How models did in upstream's own tests, and what a task cost."""
        return (await self._get("/benchmarks", BenchmarkList, {"source": "openrouter"})).data

    async def exchange_code(self, code: str, verifier: str) -> str:
        """The key that a user allowed in a browser. A code works once.

        Raises:
            NotAuthorized: The code is wrong, was used, or is too old.
        """
        request = CodeExchange(code=code, code_verifier=verifier)
        try:
            with anyio.fail_after(READ_SECONDS):
                return (await self._post("/auth/keys", request, IssuedKey)).key
        except TimeoutError as error:
            raise DeadlinePassed(f"OpenRouter did not answer /auth/keys within {READ_SECONDS:.0f} s") from error

    async def key_status(self) -> Key:
        """What this key may spend and has spent."""
        return (await self._get("/key", KeyReply)).data

    async def credits(self) -> Credits:
        """The account's credit. Only a management key may see it."""
        return (await self._get("/credits", CreditsReply)).data

    async def activity(self, date: str | None = None) -> tuple[ActivityRow, ...]:
        """The account's use, by day and model. Only a management key may see it."""
        return (await self._get("/activity", ActivityReply, {"date": date} if date else None)).data

    async def generation(self, generation_id: str) -> Generation:
        """What one request became.

        Raises:
            NotFound: Upstream does not know it (yet: it appears some seconds after the call).
        """
        params = {"id": generation_id.removeprefix("resp_")}
        return (await self._get("/generation", GenerationReply, params)).data

    async def _get(
        self,
        path: str,
        shape: type[ModelT],
        params: Mapping[str, str] | None = None,
        seconds: float = READ_SECONDS,
    ) -> ModelT:
        try:
            with anyio.fail_after(seconds):
                reply = await self._http.get(path, self.key, params)
        except TimeoutError as error:
            raise DeadlinePassed(f"OpenRouter did not answer {path} within {seconds:.0f} s") from error
        except ModelUnavailable as failure:
            if failure.status != 404:
                raise
            raise NotFound(f"OpenRouter does not know {path}", quote=failure.quote, status=404) from failure
        read = partial(read_reply, reply.body, shape, f"reply to {path}", reply.generation_id)
        return await _read(reply.body, read)

    async def _pages(self, path: str, params: dict[str, str]) -> tuple[Model, ...]:
        rows: dict[str, Model] = {}
        for _ in range(_PAGES):
            page = await self._get(path, ModelList, params)
            fresh = {model.id: model for model in page.data if model.id not in rows}
            rows |= fresh
            if not fresh or page.links is None or not page.links.next:
                break
            params = params | {"offset": str(len(rows)), "limit": "1000"}
        return tuple(rows.values())

    @asynccontextmanager
    async def _paid(self, path: str, request: Request) -> AsyncGenerator[OpenReply]:
        with explaining(self._demands):
            async with self._http.post(path, self.key, request.written(), self._attempts) as reply:
                yield reply

    async def _post(self, path: str, request: Request, shape: type[ModelT]) -> ModelT:
        return (await self._told(path, request, shape))[0]

    async def _told(self, path: str, request: Request, shape: type[ModelT]) -> tuple[ModelT, str | None]:
        async with self._paid(path, request) as reply:
            content = await reply.body()
            what = f"reply to {path.removeprefix('..')}"
            read = partial(read_reply, content, shape, what, reply.generation_id, paid=True)
            return await _read(content, read), reply.generation_id


async def _read(content: bytes, read: Callable[[], ModelT]) -> ModelT:
    """What a reply says. A vector is some kilobytes; a picture, megabytes."""
    return await anyio.to_thread.run_sync(read) if len(content) > LONG_BYTES else read()


def prepare() -> None:
    """Build the shapes of streams now, not when the first event arrives."""
    for shape in (ChatRequest, ChatChunk, ResponsesRequest, ResponseEvent):
        shape.model_rebuild()


def _path(slug: str) -> str:
    return quote(slug, safe="/~:@")
