"""What goes over the wire and what does not: retries, redirects, broken connections."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic

import anyio
import pytest

from or_mcp.openrouter import http as http_module
from or_mcp.openrouter.errors import ConnectionFailed, Failure, RateLimited, StreamBroken
from or_mcp.openrouter.http import Http
from or_mcp.openrouter.retry import read_retry_after
from or_mcp.openrouter.wire.chat import ChatRequest
from tests.conftest import Upstream
from tests.openrouter.world import IDENTITY, answering, client_of, reply

ASK = ChatRequest(model="openai/gpt-5-mini", messages=({"role": "user", "content": "Hello?"},))
KEY = b'{"data": {"label": "k"}}'
ANSWER = b'{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}'


async def ask(base_url: str) -> int:
    """How many chunks came."""
    async with client_of(base_url) as client, client.chat(ASK) as stream:
        return len([chunk async for chunk in stream])


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_paid_request_is_never_sent_to_where_a_redirect_points(status: str, upstream: Upstream):
    elsewhere = f"{upstream.base_url}/chat/completions"
    async with answering(reply(status, Location=elsewhere)) as (base_url, requests):
        with pytest.raises(Failure) as caught:
            await ask(base_url)
    assert len(requests) == 1
    assert not upstream.requests
    assert caught.value.kind == "upstream_failed"


async def test_reading_follows_redirects_and_shows_the_key_to_nobody_else(upstream: Upstream):
    async with answering(reply("200 OK", KEY)) as (other, requests):
        moved = reply("302 Found", Location=f"{other}/key".replace("127.0.0.1", "localhost"))
        async with answering(moved) as (base_url, _), client_of(base_url) as client:
            assert (await client.key_status()).label == "k"
    assert b"sk-or-test" not in requests[0]


async def test_redirects_in_circles_end():
    async with (
        answering(reply("302 Found", Location="/api/v1/key")) as (base_url, requests),
        client_of(base_url) as client,
    ):
        with pytest.raises(ConnectionFailed), anyio.fail_after(120):
            await client.key_status()
    assert len(requests) < 100


async def test_a_refused_connection_is_tried_again():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    started = monotonic()
    with pytest.raises(ConnectionFailed, match="could not be reached") as caught:
        await ask(f"http://127.0.0.1:{port}/api/v1")
    assert not caught.value.may_be_billed
    assert monotonic() - started > 1.4


async def test_a_connection_refused_at_first_is_answered_once_somebody_listens(upstream: Upstream):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    counts: list[int] = []

    async def asking() -> None:
        counts.append(await ask(f"http://127.0.0.1:{port}/api/v1"))

    async with anyio.create_task_group() as group:
        group.start_soon(asking)
        await anyio.sleep(0.1)
        async with upstream.running(port=port):
            with anyio.fail_after(120):
                while not counts:
                    await anyio.sleep(0.02)
    assert len(upstream.posts()) == 1


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"no HTTP at all\r\n\r\n"])
async def test_a_connection_that_breaks_after_the_request_may_be_billed_and_is_not_repeated(sent: bytes):
    async with answering(sent) as (base_url, requests):
        with pytest.raises(ConnectionFailed, match="broke before OpenRouter answered") as caught:
            await ask(base_url)
    assert caught.value.may_be_billed
    assert len(requests) == 1


async def test_reading_that_breaks_is_tried_again():
    async with answering(b"", reply("200 OK", KEY)) as (base_url, requests), client_of(base_url) as client:
        assert (await client.key_status()).label == "k"
    assert len(requests) == 2


async def test_a_body_that_breaks_off_is_a_broken_answer():
    short = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n" + ANSWER[:20]
    async with answering(short) as (base_url, requests):
        with pytest.raises(StreamBroken, match="stopped before its end") as caught:
            await ask(base_url)
    assert caught.value.may_be_billed
    assert len(requests) == 1


async def test_a_refusal_whose_body_breaks_off_is_still_that_refusal():
    short = b"HTTP/1.1 402 Payment Required\r\nContent-Length: 500\r\n\r\n{"
    async with answering(short) as (base_url, _):
        with pytest.raises(Failure) as caught:
            await ask(base_url)
    assert caught.value.kind == "no_credit"


async def test_a_body_larger_than_any_real_one_is_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_module, "REPLY_LIMIT", 1000)
    async with answering(reply("200 OK", b" " * 2000, Content_Type="application/json")) as (base_url, _):
        with pytest.raises(StreamBroken, match="larger than any real answer"):
            await ask(base_url)
    async with answering(reply("403 Forbidden", b" " * 2000)) as (base_url, _):
        with pytest.raises(Failure) as caught:
            await ask(base_url)
    assert caught.value.kind == "not_authorized"


async def test_silence_ends_a_stream(monkeypatch: pytest.MonkeyPatch, upstream: Upstream):
    timeout = http_module.httpx2.Timeout(connect=10, read=0.3, write=60, pool=None)
    monkeypatch.setattr(http_module, "_TIMEOUT", timeout)
    upstream.script({"path": "/chat/completions", "stall_at_event": 2})
    with pytest.raises(StreamBroken, match="silent for") as caught:
        await ask(upstream.base_url)
    assert caught.value.generation_id
    assert len(upstream.posts()) == 1


@pytest.mark.parametrize("header", [{"retry_after": 1}, {"headers": {"Retry-After-Ms": "900", "Retry-After": "60"}}])
async def test_what_upstream_asks_to_wait_is_waited(upstream: Upstream, header: dict[str, object]):
    upstream.script({"path": "/chat/completions", "status": 429, "times": 1, **header})
    started = monotonic()
    assert await ask(upstream.base_url)
    assert 0.9 <= monotonic() - started < 40
    assert len(upstream.posts()) == 2


async def test_a_wait_that_does_not_fit_the_deadline_is_not_begun(upstream: Upstream):
    upstream.script({"path": "/chat/completions", "status": 429, "retry_after": 600})
    with anyio.fail_after(120), pytest.raises(RateLimited) as caught:
        await ask(upstream.base_url)
    assert caught.value.retry_after == 600
    assert len(upstream.posts()) == 1


async def test_three_attempts_are_all(upstream: Upstream):
    upstream.script({"path": "/chat/completions", "status": 503, "retry_after": 0})
    with pytest.raises(Failure):
        await ask(upstream.base_url)
    assert len(upstream.posts()) == 3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "-250"}, 0),
        ({"retry-after-ms": "x", "retry-after": "7"}, None),
    ],
)
def test_how_long_to_wait_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None):
    assert read_retry_after(headers) == seconds


def test_a_date_to_wait_for_is_the_time_until_then():
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 85 < (read_retry_after({"retry-after": then}) or 0) <= 90


async def test_leaving_a_stream_early_closes_the_connection_at_once(upstream: Upstream):
    upstream.script({"path": "/chat/completions", "stall_at_event": 2})
    async with client_of(upstream.base_url) as client:
        async with client.chat(ASK) as stream:
            async for _ in stream:
                break
        with anyio.fail_after(120):
            while upstream.open_streams:
                await anyio.sleep(0.01)
    assert len(upstream.aborted) == 1


async def test_a_hundred_callers_at_once_are_all_served(upstream: Upstream):
    counts: list[int] = []
    upstream.script({"path": "/chat/completions", "latency_ms": 300})

    async with client_of(upstream.base_url) as client, anyio.create_task_group() as group:

        async def one() -> None:
            async with client.chat(ASK) as stream:
                counts.append(len([chunk async for chunk in stream]))

        for _ in range(120):
            group.start_soon(one)
    assert len(counts) == 120


async def test_a_connection_that_was_never_opened_can_be_closed():
    await Http("http://127.0.0.1:9", IDENTITY).close()
