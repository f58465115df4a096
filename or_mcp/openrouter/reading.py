"""Replies read: a whole one in its shape, and a stream event by event, typed."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import TypeVar

import anyio.to_thread
from pydantic import BaseModel, ValidationError

from or_mcp.openrouter.errors import Failure, StreamBroken, UpstreamFailed, from_error
from or_mcp.openrouter.http import OpenReply
from or_mcp.openrouter.sse import EventReader, EventTooLarge
from or_mcp.openrouter.wire.chat import ChatChunk
from or_mcp.openrouter.wire.errors import ErrorEnvelope

ModelT = TypeVar("ModelT", bound=BaseModel)

# Whatever is longer is read in a thread: a picture is megabytes of base64 in one event.
LONG_BYTES = 1 << 20
_DONE = "[DONE]"
# What an answer used follows its end at once.
_USAGE_SECONDS = 10.0


def read_reply(body: bytes, shape: type[ModelT], what: str, generation_id: str | None, *, paid: bool = False) -> ModelT:
    """A whole reply in its shape; an error inside a 200 is that error."""
    try:
        return shape.model_validate_json(body)
    except ValidationError:
        envelope = ErrorEnvelope.read(body)
    if envelope is None:
        raise unreadable(what, generation_id, may_be_billed=paid)
    raise from_error(envelope.error, error_type=envelope.error_type, generation_id=generation_id, may_be_billed=paid)


async def chat_chunks(reply: OpenReply) -> AsyncIterator[ChatChunk]:
    body = None if reply.streamed else await reply.body()
    if body is not None and is_json(body):
        chunk = read_reply(body, ChatChunk, "answer", reply.generation_id, paid=True)
        if chunk.error is not None or not chunk.choices:
            raise no_answer(body, reply)
        yield chunk
        return
    finished = False
    async for data in data_of(reply, body):
        read = partial(_late, data, reply) if finished else partial(event_of, data, ChatChunk, reply)
        chunk = await anyio.to_thread.run_sync(read) if len(data) > LONG_BYTES else read()
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


async def data_of(reply: OpenReply, received: bytes | None) -> AsyncIterator[str]:
    """The data of each event up to `[DONE]`, as it arrives; `received` is a body that was read already.

    Raises:
        StreamBroken: The connection broke while something was missing, or an event is too large to be real.
    """
    reader = EventReader()
    try:
        async for chunk in reply.chunks() if received is None else _at_once(received):
            for data in _completed(reader, chunk, reply):
                if data.strip() == _DONE:
                    reply.enough()
                if reply.is_whole:
                    break
                await reply.turns.take()
                yield data
    except StreamBroken:
        if reply.would_do:
            return
        raise
    for data in () if reply.is_whole else reader.end():
        if data.strip() != _DONE:
            yield data


async def _at_once(received: bytes) -> AsyncIterator[bytes]:
    yield received


def _completed(reader: EventReader, chunk: bytes, reply: OpenReply) -> Iterator[str]:
    try:
        yield from reader.feed(chunk)
    except EventTooLarge as error:
        raise reply.broken(error) from error


def _late(data: str, reply: OpenReply) -> ChatChunk | None:
    """What follows the end of an answer, if it can be read: trouble there does not undo the answer."""
    try:
        chunk = event_of(data, ChatChunk, reply)
    except StreamBroken:
        return None
    return None if chunk.fails else chunk


def is_json(body: bytes) -> bool:
    """Whether a reply came at once. Events under a wrong content type are read as the events they are."""
    return bool(body) and not body.lstrip().startswith((b"data:", b":", b"event:"))


def no_answer(body: bytes, reply: OpenReply) -> Failure:
    """What stands in the place of an answer."""
    envelope = ErrorEnvelope.read(body)
    if envelope is None:
        return unreadable("answer", reply.generation_id, may_be_billed=True)
    return from_error(
        envelope.error,
        error_type=envelope.error_type,
        generation_id=reply.generation_id,
        may_be_billed=True,
    )


def event_of(data: str, shape: type[ModelT], reply: OpenReply) -> ModelT:
    """One event in its shape. Whatever is none breaks the stream."""
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


def unreadable(what: str, generation_id: str | None = None, *, may_be_billed: bool = False) -> UpstreamFailed:
    """The failure of a reply that is not what it should be."""
    return UpstreamFailed(
        f"OpenRouter's {what} could not be read", generation_id=generation_id, may_be_billed=may_be_billed
    )
