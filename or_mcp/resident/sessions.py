"""One session of a resident: the host's own pipes, and what is this host's alone."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import anyio

from or_mcp.places import working_directory
from or_mcp.resident.handing import Request
from or_mcp.resident.log import Ear, hears, leaves
from or_mcp.runs.session import Session
from or_mcp.server import Program
from or_mcp.settings import Settings, SettingsError, read_settings
from or_mcp.starting.starter import ENDED, SERVING, YOURS
from or_mcp.stdio import open_pipes

# Longer than a starter waits for us.
_ANSWER_SECONDS = 5.0


class SessionError(Exception):
    """A session cannot be served here; whoever brought it serves it."""


async def serve_session(
    connection: socket.socket, request: Request, offering: Callable[[tuple[str, ...]], Program]
) -> None:
    """Serve a session to its end, and tell whoever brought it.

    Raises:
        SessionError: It was refused, and nothing was read from it.
    """
    errors = request.descriptors[2]
    try:
        settings = _settings(request)
        program = offering(settings.tools)
        await _becomes_ours(connection)
    except BaseException:
        _close(*request.descriptors)
        raise
    ear = Ear(errors, logging.getLevelNamesMapping()[settings.log_level])
    hears(ear)
    session = Session()
    try:
        await _serve(connection, program, settings, session, request)
    finally:
        leaves(ear)
        _close(errors)
        if program.parts is not None:
            program.parts.runner.part(session)
        with suppress(OSError):
            connection.send(ENDED)


async def _becomes_ours(connection: socket.socket) -> None:
    """Whoever brought it may have lost patience, and serves it itself: two may not read from one pipe."""
    connection.send(SERVING)
    with anyio.move_on_after(_ANSWER_SECONDS):
        await anyio.wait_readable(connection)
        if connection.recv(1) == YOURS:
            return
    raise SessionError("whoever brought it has left")


async def _serve(
    connection: socket.socket, program: Program, settings: Settings, session: Session, request: Request
) -> None:
    wire_in, wire_out, _ = request.descriptors

    def end() -> None:
        session.is_leaving = True

    async def watch() -> None:
        # Whoever brought the session says nothing more: it can only be gone.
        await anyio.wait_readable(connection)
        end()
        own.cancel_scope.cancel()

    async with anyio.create_task_group() as own:
        own.start_soon(watch)
        try:
            async with open_pipes(wire_in, wire_out, end, request.begun) as (incoming, outgoing):
                await program.serve(settings, session, incoming, outgoing)
        finally:
            end()
        own.cancel_scope.cancel()


def _settings(request: Request) -> Settings:
    """This process's settings, with what is the session's own."""
    own = dict(request.own)
    if given := own.get("OR_MCP_ALLOWED_DIRS", "").strip():
        own["OR_MCP_ALLOWED_DIRS"] = os.pathsep.join(_from(request.here, part) for part in given.split(os.pathsep))
    else:
        own["OR_MCP_ALLOWED_DIRS"] = working_directory(os.environ, request.here)
    try:
        return read_settings({**os.environ, **own})
    except SettingsError as error:
        raise SessionError(str(error)) from error


def _from(here: Path, given: str) -> str:
    part = given.strip()
    return str(here / Path(part).expanduser()) if part else ""


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        with suppress(OSError):
            os.close(descriptor)
