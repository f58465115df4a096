"""Events of `/responses`, typed as they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator

from or_mcp.openrouter.http import OpenReply
from or_mcp.openrouter.reading import data_of, event_of, is_json, no_answer, read_reply
from or_mcp.openrouter.wire.responses import ENDINGS, Response, ResponseEvent, ResponsesRequest

# Built now, not when the first event arrives.
for _shape in (ResponsesRequest, ResponseEvent):
    _shape.model_rebuild()


async def response_events(reply: OpenReply) -> AsyncIterator[ResponseEvent]:
    body = None if reply.streamed else await reply.body()
    if body is not None and is_json(body):
        response = read_reply(body, Response, "answer", reply.generation_id, paid=True)
        if response.status is None and not response.output:
            raise no_answer(body, reply)
        yield ResponseEvent(type=f"response.{response.status or 'completed'}", response=response)
        return
    async for data in data_of(reply, body):
        event = event_of(data, ResponseEvent, reply)
        if event.type in ENDINGS:
            reply.enough()
        yield event
