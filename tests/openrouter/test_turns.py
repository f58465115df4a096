"""Streams that bring more than can be read at once, and a question of megabytes: everybody else comes in between."""

from __future__ import annotations

import json
from typing import Any

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream
from hypothesis import given
from hypothesis import strategies as st

from or_mcp.openrouter.network import PIECE
from or_mcp.openrouter.turns import Turns
from or_mcp.openrouter.wire.request import pieces
from tests.openrouter.networks import listening
from tests.openrouter.test_network import CHUNK, END, STREAM, asked
from tests.openrouter.world import client_of

EVENTS, STREAMS = 20_000, 8
# Within the time of one turn, on a machine ten times as fast as any.
MOST_AT_ONCE = 5_000


async def test_streams_that_never_pause_let_others_come_in_between():
    async def serve(stream: ByteStream) -> None:
        await stream.receive()
        await stream.send(STREAM + b"Connection: close\r\n\r\n" + CHUNK * EVENTS + END)

    heard = most = 0

    async def read(base_url: str) -> None:
        nonlocal heard
        async with client_of(base_url) as client, client.chat(asked()) as stream:
            async for _ in stream:
                heard += 1

    async def come_in_between() -> None:
        nonlocal most
        while True:
            before = heard
            await anyio.lowlevel.checkpoint()
            most = max(most, heard - before)

    async with listening(serve) as port, anyio.create_task_group() as others:
        others.start_soon(come_in_between)
        async with anyio.create_task_group() as group:
            for _ in range(STREAMS):
                group.start_soon(read, f"http://127.0.0.1:{port}/api/v1")
        others.cancel_scope.cancel()
    assert heard == STREAMS * (EVENTS + 1)
    assert 0 < most < MOST_AT_ONCE


async def test_whoever_leaves_while_it_waits_for_its_turn_holds_nobody_up():
    turns = Turns()
    served: list[str] = []
    scopes = {name: anyio.CancelScope() for name in ("long", "left", "then", "last")}

    async def take(name: str) -> None:
        with scopes[name]:
            await turns.take()
            served.append(name)
            while name == "long" and turns.has_time:
                pass

    async with anyio.create_task_group() as group:
        for name in scopes:
            group.start_soon(take, name)
        await anyio.lowlevel.checkpoint()
        assert served == ["long"]
        scopes["left"].cancel()
    assert served == ["long", "then", "last"]


LONG = st.tuples(st.sampled_from('a"\\\n\x00é€😀'), st.integers(0, 3 * PIECE)).map(lambda drawn: drawn[0] * drawn[1])
LEAVES: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.text() | LONG
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(VALUES)
def test_json_in_pieces_is_the_same_json(value: Any):
    written = list(pieces(value))
    assert json.loads(b"".join(written)) == value
    # Six signs at most stand for one.
    assert all(len(piece) < 10 * PIECE for piece in written)
