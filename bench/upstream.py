"""An upstream that costs next to nothing: prebuilt replies over plain sockets, no dependencies.

The latency is part of the address: `http://127.0.0.1:PORT/l200/api/v1` answers what is paid for after 200 ms, and
`/r500n2000/api/v1` streams fusions of 2,000 events at 500 a second.
`python -m bench.upstream` prints its port.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import struct
from base64 import b64encode
from functools import cache
from typing import Any

from bench.catalogue import EMBEDDING_MODEL, MODEL, PAINTER, models

DIMENSIONS = 256
PICTURE_BYTES = 20_000_000

_WORDS = ("Forty", "-two", " is the answer", " to that", ".")
_LATENCY = re.compile(rb"/l(\d+)/")
_RATE = re.compile(rb"/r(\d+)n(\d+)/")
_TICK_SECONDS = 0.02
PANEL = tuple(f"bench/model-{number}" for number in range(1, 9))
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _event(payload: str) -> bytes:
    data = f"data: {payload}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


def _chunk(delta: dict[str, Any], finish: str | None = None, usage: dict[str, Any] | None = None) -> str:
    chunk: dict[str, Any] = {
        "id": "gen-bench",
        "object": "chat.completion.chunk",
        "created": 1_785_542_400,
        "model": MODEL,
        "provider": "Bench",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "native_finish_reason": finish}],
    }
    return json.dumps(chunk | ({"usage": usage} if usage else {}), separators=(",", ":"))


def completion() -> bytes:
    """A streamed completion: a few chunks, the usage, the end."""
    usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "cost": 0.00001}
    events = [_chunk({"role": "assistant", "content": word}) for word in _WORDS]
    events += [_chunk({"content": ""}, "stop"), _chunk({"content": ""}, "stop", usage), "[DONE]"]
    return _STREAM_HEAD + b"".join(map(_event, events)) + b"0\r\n\r\n"


def _responses_event(kind: str, **fields: object) -> bytes:
    return _event(json.dumps({"type": f"response.{kind}", **fields}, separators=(",", ":")))


_FUSION_BEGINS = _STREAM_HEAD + b"".join(
    [
        _responses_event("created", response={"id": "resp_bench", "status": "in_progress"}),
        *(_responses_event("fusion_call.panel.added", model=model) for model in PANEL),
    ]
)
_FUSION_DELTAS = tuple(
    _responses_event("fusion_call.panel.delta", item_id="fu_bench", model=model, delta=" and a few words more")
    for model in PANEL
)


@cache
def fusion_ends() -> bytes:
    """Every panelist's whole text, what the analyst says, and the answer."""
    replies = [{"model": model, "content": "A few words."} for model in PANEL]
    fusion = {"type": "openrouter:fusion", "id": "fu_bench", "status": "completed", "responses": replies}
    said = {"type": "message", "content": [{"type": "output_text", "text": "Forty-two."}]}
    usage = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17, "cost": 0.00001}
    whole = {"id": "resp_bench", "model": MODEL, "status": "completed", "output": [fusion, said], "usage": usage}
    done = [_responses_event("fusion_call.panel.completed", model=model, content="A few words.") for model in PANEL]
    return b"".join([*done, _responses_event("completed", response=whole), _event("[DONE]"), b"0\r\n\r\n"])


def document(data: object, status: str = "200 OK") -> bytes:
    """A JSON reply."""
    body = json.dumps(data, separators=(",", ":")).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@cache
def embeddings(count: int) -> bytes:
    """Vectors for so many texts."""
    vectors = (random.Random(number).randbytes(DIMENSIONS) for number in range(count))
    # Each byte becomes a small number, so that every vector is finite.
    packed = (struct.pack(f"<{DIMENSIONS}f", *(byte - 127.5 for byte in vector)) for vector in vectors)
    rows = [{"object": "embedding", "index": n, "embedding": b64encode(row).decode()} for n, row in enumerate(packed)]
    usage = {"prompt_tokens": count, "total_tokens": count, "cost": 0.00001}
    return document({"id": "gen-bench", "object": "list", "model": EMBEDDING_MODEL, "data": rows, "usage": usage})


@cache
def picture() -> bytes:
    """A streamed completion that draws: one event holds all of it."""
    drawn = b"\x89PNG\r\n\x1a\n" + random.Random(20).randbytes(PICTURE_BYTES)
    url = f"data:image/png;base64,{b64encode(drawn).decode()}"
    usage = {"prompt_tokens": 12, "completion_tokens": 1290, "total_tokens": 1302, "cost": 0.04}
    images = {"images": [{"type": "image_url", "index": 0, "image_url": {"url": url}}]}
    events = [_chunk({"content": "Here it is."}), _chunk(images), _chunk({"content": ""}, "stop", usage), "[DONE]"]
    return _STREAM_HEAD + b"".join(map(_event, events)) + b"0\r\n\r\n"


_COMPLETION = completion()
_DRAWS = re.compile(rb'"model": *"' + PAINTER.encode() + b'"')
_STREAMED = re.compile(rb'"stream": *true')
_AT_ONCE = document(
    {
        "id": "gen-bench",
        "object": "chat.completion",
        "model": MODEL,
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "".join(_WORDS)}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "cost": 0.00001},
    }
)
_NOT_FOUND = document({"error": {"code": 404, "message": "The bench has no such path"}}, "404 Not Found")
_DOCUMENTS: dict[bytes, bytes] = {
    b"/models": document({"data": models()}),
    b"/embeddings/models": document({"data": models()[-1:]}),
    b"/providers": document({"data": []}),
    b"/credits": document({"data": {"total_credits": 100, "total_usage": 1}}),
    b"/key": document(
        {"data": {"label": "bench", "limit": None, "limit_remaining": None, "usage": 1, "is_free_tier": False}}
    ),
}


class Connection(asyncio.Protocol):
    """One client's connection. Requests are answered in order, each after the latency its path names."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._received += data
        while True:
            head, found, rest = self._received.partition(b"\r\n\r\n")
            length = _LENGTH.search(head)
            size = int(length[1]) if length else 0
            if not found or len(rest) < size:
                return
            self._received = rest[size:]
            self._answer(head.split(b" ", 2)[1].partition(b"?")[0], rest[:size])

    def _answer(self, path: bytes, body: bytes) -> None:
        prefix, _, name = path.partition(b"/api/v1")
        if name == b"/chat/completions":
            said = _COMPLETION if _STREAMED.search(body) else _AT_ONCE
            reply = picture() if _DRAWS.search(body) else said
        elif name == b"/responses":
            rate, count = map(int, found.groups()) if (found := _RATE.match(prefix + b"/")) else (1000, 100)
            self._write(_FUSION_BEGINS)
            self._stream(rate, count, self._loop.time(), 0)
            return
        elif name == b"/embeddings":
            reply = embeddings(len(json.loads(body)["input"]))
        else:
            self._write(_DOCUMENTS.get(name, _NOT_FOUND))
            return
        latency = _LATENCY.match(prefix + b"/")
        if latency is None or latency[1] == b"0":
            self._write(reply)
        else:
            self._loop.call_later(int(latency[1]) / 1000, self._write, reply)

    def _stream(self, rate: int, count: int, began: float, sent: int) -> None:
        """As many events as are due by now, and so on until all are sent."""
        due = min(count, int(rate * (self._loop.time() - began)))
        self._write(b"".join(_FUSION_DELTAS[number % len(_FUSION_DELTAS)] for number in range(sent, due)))
        if due == count:
            self._write(fusion_ends())
        else:
            self._loop.call_later(_TICK_SECONDS, self._stream, rate, count, began, due)

    def _write(self, reply: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(reply)


async def serve() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(loop), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
