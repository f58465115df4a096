"""An answer ends with its last event; what the connection does after that changes nothing."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream

from or_mcp.conversation.state import AnswerState
from or_mcp.openrouter import reading as client_module
from or_mcp.openrouter.errors import StreamBroken
from or_mcp.openrouter.wire.responses import ResponsesRequest
from tests.conftest import Connect, Upstream
from tests.openrouter.cutting import HARMS, Harm, cutting
from tests.openrouter.test_client import ASK
from tests.openrouter.world import client_of, reply

MINI = "openai/gpt-5-mini"
FUSE = {"analysis_models": [MINI, "anthropic/claude-haiku-4.5"], "prompt": "Why?", "web": False}
# Far below the silence after which a stream is given up, and far above what any machine needs.
SOON = 40
RESPOND = ResponsesRequest(model=MINI, input="Hello?")
USAGE = b'"usage":{'


async def told(connect: Connect, base_url: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    with anyio.fail_after(SOON):
        async with connect(OPENROUTER_BASE_URL=base_url) as client:
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, result.content
            return result.structured_content


@pytest.mark.parametrize("harm", HARMS)
async def test_a_fusion_is_completed_by_its_last_event(connect: Connect, upstream: Upstream, harm: Harm):
    async with cutting(upstream.base_url, b"[DONE]", harm) as cut:
        answer = await told(connect, cut.base_url, "fuse", FUSE)
    assert cut.done == 1
    assert (answer["status"], answer["outcome"]) == ("completed", "fused")
    assert answer["cost_usd"] > 0


@pytest.mark.parametrize("harm", HARMS)
async def test_an_answer_is_completed_by_its_finish_reason_and_usage(connect: Connect, upstream: Upstream, harm: Harm):
    async with cutting(upstream.base_url, b"[DONE]", harm) as cut:
        answer = await told(connect, cut.base_url, "ask", {"model": MINI, "prompt": "Why?"})
    assert cut.done == 1
    assert (answer["status"], answer["finish_reason"]) == ("completed", "stop")
    assert answer["cost_usd"] > 0


@pytest.mark.parametrize("harm", HARMS)
async def test_an_answer_without_its_usage_is_completed_at_unknown_cost(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, harm: Harm
):
    monkeypatch.setattr(client_module, "_USAGE_SECONDS", 0.5)
    upstream.script({"path": "/generation", "status": 404})
    async with cutting(upstream.base_url, USAGE, harm) as cut:
        answer = await told(connect, cut.base_url, "ask", {"model": MINI, "prompt": "Why?"})
    assert cut.done == 1
    assert (answer["status"], answer["finish_reason"], answer["cost_usd"]) == ("completed", "stop", None)
    assert answer["text"]


async def heard(base_url: str) -> AnswerState:
    """An answer, read to its end."""
    state = AnswerState()
    async with client_of(base_url) as client, client.chat(ASK) as stream:
        async for chunk in stream:
            state.apply(chunk)
    state.check_ended()
    return state


@pytest.mark.parametrize("harm", ["close", "reset", "half a line", "garbage"])
async def test_an_answer_that_breaks_before_its_end_is_broken(upstream: Upstream, harm: Harm):
    async with cutting(upstream.base_url, b'"finish_reason":"stop"', harm) as cut:
        with anyio.fail_after(SOON), pytest.raises(StreamBroken):
            await heard(cut.base_url)
    assert cut.done == 1


END = '{"choices":[{"delta":{},"finish_reason":"stop"}]}'
STEP = '{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}'


def says(words: str) -> str:
    return f'{{"choices":[{{"delta":{{"content":"{words}"}}}}]}}'


def used(cost: float) -> str:
    return f'{{"choices":[],"usage":{{"cost":{cost}}}}}'


async def of_events(upstream: Upstream, *data: str) -> tuple[str, float]:
    """The text and the cost that are heard in these events."""
    body = "".join(f"data: {each}\n\n" for each in data).removesuffix("\n\n")
    stream = {"path": "/chat/completions", "status": 200, "content_type": "text/event-stream", "body": body}
    upstream.script(stream)
    state = await heard(upstream.base_url)
    return state.text, float(state.said().cost_usd or 0)


@pytest.mark.parametrize(
    "late",
    ["<html>", '{"error":{"code":500,"message":"late"}}', '{"choices":[{"delta":{},"finish_reason":"error"}]}'],
)
async def test_trouble_after_the_finish_reason_undoes_nothing(upstream: Upstream, late: str):
    assert await of_events(upstream, says("whole"), END, late, used(0.5)) == ("whole", 0.5)


async def test_events_after_the_end_are_not_heard(upstream: Upstream):
    assert await of_events(upstream, says("whole"), END, used(0.5), says("more"), "<html>") == ("whole", 0.5)


async def test_usage_that_comes_with_the_finish_reason_ends_the_answer(upstream: Upstream):
    end = '{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"cost":0.5}}'
    assert await of_events(upstream, says("whole"), end, says("more")) == ("whole", 0.5)


async def test_a_running_usage_before_the_end_does_not_end_it(upstream: Upstream):
    assert await of_events(upstream, used(0.1), says("who"), says("le"), END, used(0.7)) == ("whole", 0.7)


async def test_a_model_that_goes_on_after_a_step_is_heard_to_its_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client_module, "_USAGE_SECONDS", 0.2)
    parts = (says("first "), STEP, says("then ")), (says("last"), END, used(0.5))
    # The pause is longer than what is waited after an end: it must not be taken for one.
    async with slowly(*parts, pause=0.6) as base_url:
        state = await heard(base_url)
    assert (state.text, state.said().cost_usd) == ("first then last", Decimal("0.5"))


@asynccontextmanager
async def slowly(*parts: tuple[str, ...], pause: float) -> AsyncGenerator[str]:
    """A server that sends the events of each part at once, and pauses after it."""

    async def answer(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(reply("200 OK", Content_Type="text/event-stream").replace(b"Content-Length: 0\r\n", b""))
            for part in parts:
                await stream.send("".join(f"data: {each}\n\n" for each in part).encode())
                await anyio.sleep(pause)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", family=socket.AF_INET)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, answer)
        yield f"http://127.0.0.1:{port}/api/v1"
        group.cancel_scope.cancel()


async def test_an_answer_read_to_its_end_leaves_its_connection_for_the_next(upstream: Upstream):
    async with cutting(upstream.base_url, b"", "nothing") as cut, client_of(cut.base_url) as client:
        for _ in range(4):
            async with client.chat(ASK) as stream:
                assert [chunk async for chunk in stream][-1].usage
            async with client.responses(RESPOND) as stream:
                assert [event async for event in stream][-1].type == "response.completed"
    assert cut.connections == 1
