"""Carrying one reply to one caller: pace, scripted breakage, and noticing that the caller left."""

import socket
import struct
from asyncio import Transport
from collections.abc import Callable
from decimal import Decimal
from typing import cast

import anyio
from starlette.types import Receive, Scope, Send

from or_mcp.simulator.delivery.faults import NO_FAULT, Fault
from or_mcp.simulator.delivery.framing import Document, EventStream, Frame, Reply, Settlement
from or_mcp.simulator.delivery.refusals import MESSAGES, Refused, error_object

KEEPALIVE_SECONDS = 0.5
TRANSPORT = "or_mcp.simulator.transport"


class ConnectionReset(Exception):
    """The delivery has torn its connection down."""


class Line:
    """The response side of one HTTP exchange, written in the pieces and at the pace of a rule."""

    def __init__(self, scope: Scope, send: Send, fault: Fault) -> None:
        self._scope = scope
        self._send = send
        self._fault = fault

    async def start(self, status: int, headers: dict[str, str], content_type: str) -> None:
        """Send the status line and the headers."""
        named = {"content-type": content_type} | {name.lower(): value for name, value in headers.items()}
        named |= {name.lower(): value for name, value in self._fault.headers.items()}
        raw = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes) -> None:
        """Send part of the body, and give others a turn."""
        size, pause = self._fault.chunk_size, self._fault.chunk_latency_ms / 1000
        pieces = [data[at : at + size] for at in range(0, len(data), size)] if size else [data]
        for piece in pieces:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            await anyio.sleep(pause)

    async def finish(self, data: bytes = b"") -> None:
        """Send the rest of the body and end it."""
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    def reset(self) -> None:
        """Tear the connection down with a TCP reset."""
        transport = cast("Transport | None", self._scope.get("extensions", {}).get(TRANSPORT))
        if transport is not None:
            connection = cast(socket.socket, transport.get_extra_info("socket"))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        raise ConnectionReset


class Delivery:
    """One reply on its way; an ASGI response."""

    def __init__(self, reply: Reply, fault: Fault, left: Callable[["Delivery"], None]) -> None:
        self.reply = reply
        self.events_sent = 0
        self._fault = fault
        self._left = left
        self._panelists_done = 0
        self._over = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Deliver until the end, or until the caller is gone."""

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            try:
                await self._deliver(Line(scope, send, self._fault))
            except ConnectionReset:
                self._settle(Settlement())
                # Until the server has noticed, it would complain of an unfinished response.
                await anyio.sleep_forever()
            group.cancel_scope.cancel()
        if not self._over:
            self._settle(Settlement(self._spent(), cancelled=True))
            self._left(self)

    def _settle(self, settlement: Settlement) -> None:
        if not self._over:
            self._over = True
            self.reply.settle(settlement)

    def _spent(self) -> Decimal | None:
        # Only a streaming call can be cancelled for less than its whole price.
        return self.reply.after(self.events_sent).spent if isinstance(self.reply, EventStream) else None

    async def _deliver(self, line: Line) -> None:
        await anyio.sleep(self._fault.latency_ms / 1000)
        if self._fault.reset:
            line.reset()
        if isinstance(self.reply, Document):
            await self._send_document(line, self.reply)
        else:
            await line.start(200, self.reply.headers, "text/event-stream; charset=utf-8")
            await self._send_stream(line, self.reply)

    async def _send_document(self, line: Line, document: Document) -> None:
        fault, body = self._fault, document.encoded()
        early = document.padded or fault.slow
        breaks = fault.cut_at_event is not None or fault.reset_at_event is not None
        announced = {} if early or breaks else {"content-length": str(len(body))}
        if fault.malformed_json:
            body = body[: len(body) * 2 // 3]
            announced = {}
        await line.start(document.status, document.headers | announced, document.content_type)
        if early:
            await self._pad(line)
        if breaks:
            body = body[: len(body) // 2]
            await line.write(body)
            if fault.reset_at_event is not None:
                line.reset()
            body = b""
        self._settle(Settlement())
        if fault.chunk_size or fault.chunk_latency_ms:
            await line.write(body)
            body = b""
        await line.finish(body)

    async def _pad(self, line: Line) -> None:
        for _ in range(3 if self._fault.keepalives is None else self._fault.keepalives):
            await line.write(b"\n")
        deadline = anyio.current_time() + self._fault.duration_s
        while self._fault.never_ends:
            await line.write(b"\n")
            await anyio.sleep(KEEPALIVE_SECONDS)
        while (left := deadline - anyio.current_time()) > 0:
            await anyio.sleep(min(left, KEEPALIVE_SECONDS))
            await line.write(b"\n")

    async def _send_stream(self, line: Line, stream: EventStream) -> None:
        fault, count = self._fault, len(stream.frames)
        comment = stream.comment.encode()
        for _ in range(stream.keepalives if fault.keepalives is None else fault.keepalives):
            await line.write(comment)
        if fault.never_ends and fault.stall_at_event is None:
            await self._stall(line, stream)
        started = anyio.current_time()
        for index, frame in enumerate(stream.frames):
            if fault is not NO_FAULT:
                if await self._breaks(line, stream):
                    return
                due = started + fault.duration_s * (index + 1) / count
                await self._wait(line, comment, max(due - anyio.current_time(), fault.event_delay_ms / 1000))
            if index == count - 1 and not self._breaks_after(count):
                self._settle(Settlement())
            await self._send_event(line, stream, frame)
        if not await self._breaks(line, stream):
            await line.finish(b"" if fault.no_done else stream.last_line.encode())

    async def _send_event(self, line: Line, stream: EventStream, frame: Frame) -> None:
        self._panelists_done += frame.ends_panelist
        self.events_sent += 1
        await line.write(stream.encode(frame.event).encode())

    def _breaks_after(self, sent: int) -> bool:
        return sent in (self._fault.stall_at_event, self._fault.error_at_event, self._fault.failed_at_event)

    async def _wait(self, line: Line, comment: bytes, seconds: float) -> None:
        until = anyio.current_time() + seconds
        while (left := until - anyio.current_time()) > 0:
            await anyio.sleep(min(left, KEEPALIVE_SECONDS))
            if left > KEEPALIVE_SECONDS:
                await line.write(comment)

    async def _stall(self, line: Line, stream: EventStream) -> None:
        while self._fault.never_ends:
            await line.write(stream.comment.encode())
            await anyio.sleep(KEEPALIVE_SECONDS)
        await anyio.sleep_forever()

    async def _breaks(self, line: Line, stream: EventStream) -> bool:
        """Whether the stream is over because of what the rule says about this place in it."""
        fault, sent = self._fault, self.events_sent
        if sent == fault.malformed_at_event:
            await line.write(b'data: {"type":"response.output_text.delta","delta":"[simul\n\n')
        if sent == fault.stall_at_event:
            await self._stall(line, stream)
        if sent == fault.reset_at_event:
            line.reset()
        if sent in (fault.error_at_event, fault.failed_at_event):
            await self._fail(line, stream)
            return True
        if sent == fault.cut_at_event or self._panelists_done == fault.panel_cut_at:
            self._settle(Settlement())
            await line.finish()
            return True
        return False

    async def _fail(self, line: Line, stream: EventStream) -> None:
        fault, sent = self._fault, self.events_sent
        status = fault.status or 502
        message = fault.message or MESSAGES.get(status, "Provider disconnected unexpectedly")
        error = error_object(Refused(status, message, error_type=fault.error_type))
        in_band = sent == fault.error_at_event
        event = (stream.in_band_error if in_band else stream.failed)(sent, error)
        self._settle(Settlement(stream.after(sent).sunk, failed=True))
        await line.write(stream.encode(event).encode())
        await line.finish(b"" if in_band else stream.last_line.encode())
