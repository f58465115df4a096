"""One short method per path of the API."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar
from urllib.parse import quote

import anyio
from pydantic import BaseModel, ValidationError

from or_mcp.openrouter.demands import Demand, explaining
from or_mcp.openrouter.errors import (
    DeadlinePassed,
    Failure,
    ModelUnavailable,
    NotFound,
    StreamBroken,
    from_error,
)
from or_mcp.openrouter.http import Http, OpenReply, unreadable
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
from or_mcp.openrouter.wire.chat import ChatChunk, ChatRequest
from or_mcp.openrouter.wire.decisions import DecisionsReply, DecisionsRequest
from or_mcp.openrouter.wire.embeddings import EmbeddingsReply, EmbeddingsRequest, RerankReply, RerankRequest
from or_mcp.openrouter.wire.endpoints import (
    Endpoint,
    EndpointList,
    ModelEndpoints,
    ModelEndpointsReply,
    Provider,
    ProviderList,
)
from or_mcp.openrouter.wire.errors import ErrorEnvelope
from or_mcp.openrouter.wire.lenient import Request
from or_mcp.openrouter.wire.models import Model, ModelList, ModelReply
from or_mcp.openrouter.wire.responses import ENDINGS, Response, ResponseEvent, ResponsesRequest

# The list of all models is megabytes, and comes within seconds; whatever takes longer has failed.
READ_SECONDS = 30.0
# What an answer used follows its end at once.
_USAGE_SECONDS = 10.0
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
            yield Stream(reply.generation_id, _response_events(reply))

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncGenerator[Stream[ChatChunk]]:
        """Answer through `/chat/completions`; leaving the block early cancels the work."""
        async with self._paid("/chat/completions", request) as reply:
            yield Stream(reply.generation_id, _chat_chunks(reply))

    async def embeddings(self, request: EmbeddingsRequest) -> EmbeddingsReply:
        """Vectors for texts."""
        return await self._post("/embeddings", request, EmbeddingsReply)

    async def rerank(self, request: RerankRequest) -> RerankReply:
        """Documents ordered by relevance."""
        return await self._post("/rerank", request, RerankReply)

    async def decisions(self, request: DecisionsRequest) -> DecisionsReply:
        """Typed questions about a state, answered with probabilities."""
        return await self._post(_DECISIONS, request, DecisionsReply)

    # Free

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

    async def providers(self) -> tuple[Provider, ...]:
        """Every provider."""
        return (await self._get("/providers", ProviderList)).data

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

    async def _get(self, path: str, shape: type[ModelT], params: Mapping[str, str] | None = None) -> ModelT:
        try:
            with anyio.fail_after(READ_SECONDS):
                reply = await self._http.get(path, self.key, params)
        except TimeoutError as error:
            raise DeadlinePassed(f"OpenRouter did not answer {path} within {READ_SECONDS:.0f} s") from error
        except ModelUnavailable as failure:
            if failure.status != 404:
                raise
            raise NotFound(f"OpenRouter does not know {path}", quote=failure.quote, status=404) from failure
        return _read(reply.body, shape, f"reply to {path}", reply.generation_id)

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
            body = request.model_dump(mode="json", exclude_none=True)
            async with self._http.post(path, self.key, body, self._attempts) as reply:
                yield reply

    async def _post(self, path: str, request: Request, shape: type[ModelT]) -> ModelT:
        async with self._paid(path, request) as reply:
            content = await reply.body()
            return _read(content, shape, f"reply to {path.removeprefix('..')}", reply.generation_id, paid=True)


def prepare() -> None:
    """Build the shapes of streams now, not when the first event arrives."""
    for shape in (ChatRequest, ChatChunk, ResponsesRequest, ResponseEvent):
        shape.model_rebuild()


def _path(slug: str) -> str:
    return quote(slug, safe="/~:@")


def _read(body: bytes, shape: type[ModelT], what: str, generation_id: str | None, *, paid: bool = False) -> ModelT:
    """A whole reply in its shape; an error inside a 200 is that error."""
    try:
        return shape.model_validate_json(body)
    except ValidationError:
        envelope = ErrorEnvelope.read(body)
    if envelope is None:
        raise unreadable(what, generation_id, may_be_billed=paid)
    raise from_error(envelope.error, error_type=envelope.error_type, generation_id=generation_id, may_be_billed=paid)


async def _response_events(reply: OpenReply) -> AsyncIterator[ResponseEvent]:
    body = None if reply.streamed else await reply.body()
    if body is not None and _is_json(body):
        response = _read(body, Response, "answer", reply.generation_id, paid=True)
        if response.status is None and not response.output:
            raise _no_answer(body, reply)
        yield ResponseEvent(type=f"response.{response.status or 'completed'}", response=response)
        return
    async for data in reply.events(body):
        event = _event(data, ResponseEvent, reply)
        if event.type in ENDINGS:
            reply.enough()
        yield event


async def _chat_chunks(reply: OpenReply) -> AsyncIterator[ChatChunk]:
    body = None if reply.streamed else await reply.body()
    if body is not None and _is_json(body):
        chunk = _read(body, ChatChunk, "answer", reply.generation_id, paid=True)
        if chunk.error is not None or not chunk.choices:
            raise _no_answer(body, reply)
        yield chunk
        return
    finished = False
    async for data in reply.events(body):
        chunk = _late(data, reply) if finished else _event(data, ChatChunk, reply)
        if chunk is None:
            continue
        if chunk.usage is not None and chunk.usage.cost is not None and (finished or chunk.finishes):
            reply.enough()
        elif chunk.finishes and not finished:
            reply.expect(_USAGE_SECONDS)
        elif chunk.goes_on and finished:
            # It was the end of one step of several.
            reply.expect(math.inf)
        finished = chunk.finishes or (finished and not chunk.goes_on)
        yield chunk


def _late(data: str, reply: OpenReply) -> ChatChunk | None:
    """What follows the end of an answer, if it can be read: trouble there does not undo the answer."""
    try:
        chunk = _event(data, ChatChunk, reply)
    except StreamBroken:
        return None
    return None if chunk.fails else chunk


def _is_json(body: bytes) -> bool:
    """Whether a reply came at once. Events under a wrong content type are read as the events they are."""
    return bool(body) and not body.lstrip().startswith((b"data:", b":", b"event:"))


def _no_answer(body: bytes, reply: OpenReply) -> Failure:
    envelope = ErrorEnvelope.read(body)
    if envelope is None:
        return unreadable("answer", reply.generation_id, may_be_billed=True)
    return from_error(
        envelope.error,
        error_type=envelope.error_type,
        generation_id=reply.generation_id,
        may_be_billed=True,
    )


def _event(data: str, shape: type[ModelT], reply: OpenReply) -> ModelT:
    try:
        return shape.model_validate_json(data)
    except ValidationError:
        whole = _without_halves(data)
    try:
        return shape.model_validate_json(whole)
    except ValidationError as error:
        raise StreamBroken(
            "The stream holds something that is not an event",
            quote=data[:80],
            generation_id=reply.generation_id,
            may_be_billed=True,
        ) from error


def _without_halves(data: str) -> bytes:
    """The same JSON with a "?" for each escaped half of a character: a stream may be cut between the two."""
    try:
        return json.dumps(json.loads(data), ensure_ascii=False).encode(errors="replace")
    except (ValueError, RecursionError):
        return data.encode()
