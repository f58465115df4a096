"""How a path of the API is asked: with which key, for how long, and read in which shape."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Self, TypeVar
from urllib.parse import quote

import anyio
import anyio.to_thread
from pydantic import BaseModel

from or_mcp.openrouter.demands import Demand, explaining
from or_mcp.openrouter.errors import DeadlinePassed, ModelUnavailable, NotFound
from or_mcp.openrouter.http import Http, OpenReply
from or_mcp.openrouter.reading import LONG_BYTES, read_reply
from or_mcp.openrouter.retry import ATTEMPTS
from or_mcp.openrouter.wire.request import Request

# The list of all models is megabytes, and comes within seconds; whatever takes longer has failed.
READ_SECONDS = 30.0

ModelT = TypeVar("ModelT", bound=BaseModel)


class Paths:
    """The paths of the API, with one key. `with_key` gives the same connection with another."""

    def __init__(self, http: Http, key: str | None, demands: Sequence[Demand] = (), attempts: int = ATTEMPTS) -> None:
        self._http = http
        self._demands = demands
        self._attempts = attempts
        self.key = key

    def with_key(self, key: str | None) -> Self:
        """The same connection, paying with another key."""
        return type(self)(self._http, key, self._demands, self._attempts)

    def at_first_try(self) -> Self:
        """The same connection for whoever sees to retries himself: a paid request that is refused is not repeated."""
        return type(self)(self._http, self.key, self._demands, 1)

    @asynccontextmanager
    async def paid(self, path: str, request: Request) -> AsyncGenerator[OpenReply]:
        """What a paid request brings, as it arrives; leaving the block early ends it."""
        with explaining(self._demands):
            async with self._http.post(path, self.key, request.written(), self._attempts) as reply:
                yield reply

    async def post(self, path: str, request: Request, shape: type[ModelT]) -> ModelT:
        """The reply to a paid request."""
        return (await self.reply_and_id(path, request, shape))[0]

    async def reply_and_id(self, path: str, request: Request, shape: type[ModelT]) -> tuple[ModelT, str | None]:
        """The same, and the generation's id."""
        async with self.paid(path, request) as reply:
            content = await reply.body()
            what = f"reply to {path.removeprefix('..')}"
            read = partial(read_reply, content, shape, what, reply.generation_id, paid=True)
            return await _read(content, read), reply.generation_id

    async def get(
        self,
        path: str,
        shape: type[ModelT],
        params: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> ModelT:
        """The reply to a request that costs nothing.

        Raises:
            NotFound: Upstream does not know the path.
        """
        seconds = READ_SECONDS if seconds is None else seconds
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

    @asynccontextmanager
    async def download(self, path: str, params: Mapping[str, str]) -> AsyncGenerator[OpenReply]:
        """What is kept under a path, as its bytes arrive."""
        async with self._http.download(path, self.key, params) as reply:
            yield reply


async def _read(content: bytes, read: Callable[[], ModelT]) -> ModelT:
    """What a reply says. A vector is some kilobytes; a picture, megabytes."""
    return await anyio.to_thread.run_sync(read) if len(content) > LONG_BYTES else read()


def quoted(slug: str) -> str:
    """A model's name as part of a path."""
    return quote(slug, safe="/~:@")
