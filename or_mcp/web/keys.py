"""Passthrough: a key that nobody has seen here is shown to OpenRouter once, before anything of its caller is kept."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

import anyio
from starlette.responses import JSONResponse, Response

from or_mcp.openrouter.errors import Failure, NotAuthorized
from or_mcp.server import Program
from or_mcp.web.buckets import Buckets

T = TypeVar("T")

# Digests of keys: some megabytes.
_REMEMBERED = 100_000
# Looking a key up takes a second; hosts wait for a first answer about twice as long as this.
_PATIENCE_SECONDS = 15.0
# Long enough that asking again and again with it costs nothing, short enough for a key that is only now made.
_UNKNOWN_SECONDS = 60.0
# A minute: an office behind one address brings that many new keys; guessing a key would take for ever.
_PER_ADDRESS, _IN_ALL = 60, 600
_EVERYBODY = ""


@dataclass(slots=True)
class Keys:
    """The keys that OpenRouter knows, and those that it did not know a moment ago: by what stands for each."""

    program: Program
    _known: OrderedDict[str, None] = field(default_factory=OrderedDict[str, None])
    _unknown: OrderedDict[str, float] = field(default_factory=OrderedDict[str, float])
    _asking: dict[str, anyio.Event] = field(default_factory=dict[str, anyio.Event])
    _of_address: Buckets = field(default_factory=lambda: Buckets(_PER_ADDRESS, 60))
    _of_all: Buckets = field(default_factory=lambda: Buckets(_IN_ALL, 60))

    async def is_known(self, key: str, subject: str, address: str) -> bool | Response:
        """Whether OpenRouter knows a key, or how to answer while that cannot be told."""
        while subject in self._asking:
            await self._asking[subject].wait()
        if subject in self._known:
            self._known.move_to_end(subject)
            return True
        if self._unknown.get(subject, 0.0) > anyio.current_time():
            return False
        wait = self._of_address.take(address) or self._of_all.take(_EVERYBODY)
        if wait:
            return come_again(wait, "too many keys that were never seen here; one that was is served at once")
        self._asking[subject] = anyio.Event()
        try:
            return await self._ask(key, subject)
        finally:
            self._asking.pop(subject).set()

    async def _ask(self, key: str, subject: str) -> bool | Response:
        parts = self.program.parts
        with anyio.move_on_after(_PATIENCE_SECONDS):
            try:
                if parts is not None:
                    await parts.upstream.with_key(key).key_status()
                    _remember(self._known, subject, None)
                    return True
            except NotAuthorized:
                _remember(self._unknown, subject, anyio.current_time() + _UNKNOWN_SECONDS)
                return False
            except Failure:
                # Whatever else it says, it has not said whose key this is.
                pass
        return come_again(5, "OpenRouter cannot be asked about this key now", 503)


def _remember(subjects: OrderedDict[str, T], subject: str, value: T) -> None:
    subjects[subject] = value
    while len(subjects) > _REMEMBERED:
        subjects.popitem(last=False)


def come_again(seconds: float, words: str, status: int = 429) -> Response:
    """A refusal that says when to come again."""
    error = "rate_limited" if status == 429 else "temporarily_unavailable"
    headers = {"Retry-After": str(max(1, math.ceil(seconds)))}
    return JSONResponse({"error": error, "error_description": words}, status, headers)
