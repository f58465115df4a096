"""The way to upstream: over TLS and proxies, in both directions, and when its other end goes away."""

from __future__ import annotations

import asyncio
import gc
import sys
import warnings
from pathlib import Path

import anyio
import httpx2
import pytest
import uvloop
from anyio.abc import ByteStream

from or_mcp.openrouter import http as http_module
from or_mcp.openrouter.errors import ConnectionFailed
from or_mcp.openrouter.network import Transport
from or_mcp.openrouter.wire.chat import ChatRequest
from tests.conftest import Upstream
from tests.openrouter.networks import Proxy, certificate, listening, passing_to
from tests.openrouter.world import client_of

CHUNK = b'data: {"id": "gen-1", "choices": [{"delta": {"content": "hi"}}]}\n\n'
END = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"cost": 0.1}}\n\ndata: [DONE]\n\n'
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
WHOLE = STREAM + b"Content-Length: %d\r\n\r\n" % len(CHUNK + END) + CHUNK + END
LONG = "a" * 400_000


def asked(prompt: str = "Hello?") -> ChatRequest:
    return ChatRequest(model="openai/gpt-5-mini", messages=({"role": "user", "content": prompt},))


async def closed_at_once(stream: ByteStream) -> None:
    await stream.aclose()


async def ask(base_url: str, prompt: str = "Hello?") -> int:
    """How many chunks came."""
    async with client_of(base_url) as client, client.chat(asked(prompt)) as stream:
        return len([chunk async for chunk in stream])


def secure(port: int) -> str:
    return f"https://127.0.0.1:{port}/api/v1"


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


async def test_a_long_question_and_its_answer_go_over_tls(trusted: Path, upstream: Upstream):
    async with listening(passing_to(upstream.base_url), trusted) as port:
        assert await ask(secure(port), LONG) > 2
    assert upstream.posts()[0].body["messages"][0]["content"] == LONG


async def test_nothing_is_sent_to_somebody_for_whom_nobody_vouches(tmp_path: Path, upstream: Upstream):
    async with listening(passing_to(upstream.base_url), certificate(tmp_path)) as port:
        with pytest.raises(ConnectionFailed, match="could not be reached.*certificate") as caught:
            await ask(secure(port))
    assert not caught.value.may_be_billed
    assert not upstream.requests


async def test_leaving_an_answer_over_tls_ends_it_upstream(trusted: Path, upstream: Upstream):
    # Whoever serves this speaks HTTP/2 too, where leaving would be told to nobody.
    upstream.script({"path": "/chat/completions", "stall_at_event": 2})
    async with listening(passing_to(upstream.base_url), trusted) as port, client_of(secure(port)) as client:
        async with client.chat(asked()) as stream:
            async for _ in stream:
                break
        with anyio.fail_after(30):
            while upstream.open_streams:
                await anyio.sleep(0.01)
    assert len(upstream.aborted) == 1


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_proxy_is_gone_through(kind: str, trusted: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch):
    proxy = Proxy()
    handle = proxy.http if kind == "http" else proxy.socks
    async with listening(handle) as between, listening(passing_to(upstream.base_url), trusted) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"{kind}://127.0.0.1:{between}")
        assert await ask(secure(port), LONG) > 2
    assert proxy.asked == [f"CONNECT 127.0.0.1:{port}" if kind == "http" else f"SOCKS {port}"]
    assert len(upstream.posts()) == 1


async def test_a_proxy_for_plain_http_is_asked_for_whole_urls(upstream: Upstream, monkeypatch: pytest.MonkeyPatch):
    proxy = Proxy()
    async with listening(proxy.http) as between:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{between}")
        assert await ask(upstream.base_url) > 2
    assert proxy.asked == [f"POST {upstream.base_url}/chat/completions"]


async def test_whom_no_proxy_is_for_is_reached_directly(upstream: Upstream, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert await ask(upstream.base_url) > 2


@pytest.mark.parametrize("last", [b"", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"])
async def test_a_connection_that_its_server_is_done_with_serves_no_further_call(last: bytes):
    connections = 0

    async def serve(stream: ByteStream) -> None:
        nonlocal connections
        connections += 1
        await stream.receive()
        await stream.send(WHOLE)
        if connections == 1:
            await free.wait()
            await stream.send(last)
            if last:
                await stream.receive()
        else:
            await stream.receive()

    free = anyio.Event()
    async with listening(serve) as port, client_of(f"http://127.0.0.1:{port}/api/v1") as client:
        for turn in range(2):
            async with client.chat(asked()) as stream:
                assert len([chunk async for chunk in stream]) == 2
            if turn == 0:
                free.set()
                await anyio.wait_all_tasks_blocked()
    assert connections == 2


async def test_a_server_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch):
    timeout = http_module.httpx2.Timeout(connect=10, read=0.3, write=0.3, pool=None)
    monkeypatch.setattr(http_module, "_TIMEOUT", timeout)
    over = anyio.Event()

    async def serve(stream: ByteStream) -> None:
        await over.wait()

    async with listening(serve) as port:
        with pytest.raises(ConnectionFailed, match="broke before") as caught, anyio.fail_after(30):
            await ask(f"http://127.0.0.1:{port}/api/v1", LONG * 80)
        over.set()
    assert caught.value.may_be_billed


async def test_an_answer_that_nobody_reads_waits_at_its_sender(monkeypatch: pytest.MonkeyPatch):
    sent = anyio.Event()

    async def serve(stream: ByteStream) -> None:
        await stream.receive()
        await stream.send(STREAM + b"Connection: close\r\n\r\n" + CHUNK)
        for _ in range(100):
            await stream.send(b":" * 1_000_000)
        sent.set()

    async with (
        listening(serve) as port,
        client_of(f"http://127.0.0.1:{port}/api/v1") as client,
        client.chat(asked()) as stream,
    ):
        async for _ in stream:
            with anyio.move_on_after(2):
                await sent.wait()
            break
    assert not sent.is_set()


def test_the_same_way_leads_there_on_uvloop(trusted: Path):
    async def go() -> int:
        upstream = Upstream()
        async with upstream.running() as base_url, listening(passing_to(base_url), trusted) as port:
            return await ask(secure(port), LONG)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(go()) > 2


async def test_who_is_cancelled_while_it_connects_leaves_no_connection_open(monkeypatch: pytest.MonkeyPatch):
    forgotten: list[str] = []

    def hear(told: sys.UnraisableHookArgs) -> None:
        forgotten.append(repr(told.exc_value))

    monkeypatch.setattr("sys.unraisablehook", hear)
    async with listening(closed_at_once) as port:
        network = Transport(httpx2.Limits())
        with warnings.catch_warnings():
            warnings.simplefilter("error", ResourceWarning)
            for turns in range(25):
                sent = network.handle_async_request(httpx2.Request("GET", f"http://127.0.0.1:{port}/"))
                call = asyncio.create_task(sent)
                for _ in range(turns):
                    await asyncio.sleep(0)
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)
                del sent, call
            gc.collect()
        await network.aclose()
    assert forgotten == []
