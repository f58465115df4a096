"""A host's connection, as far as its runs are concerned: why it gave up a call, and which runs it left behind."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

import anyio

# Whoever sends the notice of a cancel sends its reason with it: what is not there after a moment never comes.
_MOMENT_SECONDS = 0.1
# More than one host has under way, and more than one process serves: the oldest are forgotten.
_REASONS = 100
_SESSIONS = 1_000


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A run that goes on although whoever asked for it stopped waiting."""

    run_id: str
    tool: str


class Session:
    """One connection of a host."""

    def __init__(self) -> None:
        self.is_leaving = False
        # After how many seconds it gave up a call, at the least.
        self.limit: float | None = None
        self._reasons: OrderedDict[str, str] = OrderedDict()
        self._heard = anyio.Event()
        self._left: dict[str, LeftBehind] = {}

    def gave_up(self, request_id: object, reason: str) -> None:
        """The host has given up one of its requests."""
        self._reasons[str(request_id)] = reason
        while len(self._reasons) > _REASONS:
            self._reasons.popitem(last=False)
        self._heard.set()
        self._heard = anyio.Event()

    async def reason(self, request_id: str) -> str:
        """Why it gave up a request; empty if it did not say."""
        with anyio.move_on_after(_MOMENT_SECONDS):
            while request_id not in self._reasons:
                await self._heard.wait()
        return self._reasons.pop(request_id, "")

    def leaves(self, run: LeftBehind) -> None:
        """One of its runs goes on without it."""
        self._left[run.run_id] = run

    def take_left(self) -> tuple[LeftBehind, ...]:
        """The runs that it has to be told of, once."""
        left, self._left = tuple(self._left.values()), {}
        return left


@dataclass(frozen=True, slots=True)
class Waiter:
    """A request that waits for a run: of which program, in which session, since when."""

    session: Session
    request_id: str = ""
    client: str = ""
    version: str = ""
    since: float = field(default_factory=anyio.current_time)


class Sessions:
    """The sessions of hosts that share one server, by whatever tells them apart; the oldest are forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Session] = OrderedDict()

    def of(self, key: Hashable) -> Session:
        """The session of a key."""
        session = self._known.setdefault(key, Session())
        self._known.move_to_end(key)
        while len(self._known) > _SESSIONS:
            self._known.popitem(last=False)
        return session
