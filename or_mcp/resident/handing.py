"""What passes over a resident's socket: one request a connection, with a session's descriptors."""

from __future__ import annotations

import array
import fcntl
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio

from or_mcp.starting.starter import Begun

# A directory, some variables, and what a host has said already: even with a large environment half of this.
_LONGEST = 1024 * 1024
# stdin, stdout and stderr.
_DESCRIPTORS = 3


class Refused(Exception):
    """What came over the socket is not served."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks of the resident."""

    kind: str
    here: Path = Path("/")
    own: Mapping[str, str] = field(default_factory=dict[str, str])
    descriptors: tuple[int, ...] = ()
    begun: Begun = field(default_factory=Begun)


async def received(connection: socket.socket) -> Request:
    """The request of a connection. Its descriptors are the caller's to close.

    Raises:
        Refused: It cannot be read. Nothing of it is left open.
    """
    await anyio.wait_readable(connection)
    head, ancillary, _, _ = connection.recvmsg(4, socket.CMSG_SPACE(_DESCRIPTORS * 4))
    numbers = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    try:
        request = _told(await _body(connection, int.from_bytes(head, "big")))
        if len(numbers) != (_DESCRIPTORS if request.kind == "session" else 0):
            raise Refused("it brings the wrong descriptors")
    except BaseException:
        for number in numbers:
            os.close(number)
        raise
    for number in numbers:
        fcntl.fcntl(number, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    return replace(request, descriptors=tuple(numbers))


def _told(body: bytes) -> Request:
    length = int.from_bytes(body[:4], "big")
    told, heard = body[4 : 4 + length], body[4 + length :]
    kind, *rest = (os.fsdecode(part) for part in told.split(b"\0"))
    if not rest:
        return Request(kind)
    here, answered, *own = rest
    pairs = (each.partition("=") for each in own)
    begun = Begun(heard, json.loads(answered))
    return Request(kind, Path(here), {name: value for name, _, value in pairs}, begun=begun)


async def _body(connection: socket.socket, length: int) -> bytes:
    if not 0 < length <= _LONGEST:
        raise Refused("it has no readable length")
    body = b""
    while len(body) < length:
        await anyio.wait_readable(connection)
        piece = connection.recv(length - len(body))
        if not piece:
            raise Refused("it ends in the middle")
        body += piece
    return body


def asked(path: str, kind: str, seconds: float) -> bytes | None:
    """What the resident behind a socket answers; None when nobody is there.

    Raises:
        Refused: It does not answer us.
        OSError: It does not answer in time.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        if connection.recv(1) != b"R":
            raise Refused("it serves sessions outside of this one's sandbox")
        told = len(kind).to_bytes(4, "big") + kind.encode()
        connection.sendall(len(told).to_bytes(4, "big") + told)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
        return answer
