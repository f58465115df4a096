"""What a tool works with: the parts of the program, who is calling, and a way to say how it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import anyio.to_thread

from or_mcp.attachments.paths import Sandbox
from or_mcp.calls.caller import Caller
from or_mcp.calls.keepsake import AnyKeepsake
from or_mcp.calls.shape import Shape
from or_mcp.catalogue.cache import Catalogue
from or_mcp.catalogue.policy import Policy
from or_mcp.files.shelf import Shelf
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import NotAuthorized
from or_mcp.openrouter.wire.routing import Provider
from or_mcp.runs.key_limit import KeyLimits
from or_mcp.runs.runner import Runner
from or_mcp.runs.seen import Runs
from or_mcp.runs.session import Session, Waiter
from or_mcp.runs.waiting import patience
from or_mcp.servers.sessions import Servers

# The page asks with this in the request's `_meta`: a person sees what it reads, a model does not.
FOR_VIEW = "or-mcp/view"

Tell = Callable[[float, float, str], Awaitable[None]]
Roots = Callable[[], Awaitable[tuple[Path, ...]]]


class Ask(Protocol):
    """A way to ask the host's user."""

    async def __call__(self, question: str, choices: tuple[str, ...] = ()) -> str:
        """What was chosen, "yes" where there is nothing to choose; empty if the user did not agree."""
        ...


class NeedsHost(Exception):
    """The host must tell something before this call can go on: it calls again with the answer."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the program, put together once at start."""

    upstream: OpenRouter
    catalogue: Catalogue
    policy: Policy
    runner: Runner
    key_limits: KeyLimits
    provider: Provider | None
    default_model: str
    wait_seconds: float | None
    sandbox: Sandbox
    data_dir: Path | None
    shelf: Shelf
    rules: Mapping[str, str]
    keepsakes: Mapping[str, AnyKeepsake]
    servers: Servers


@dataclass(frozen=True, slots=True)
class Served:
    """What a connection is served with: the program's parts, and what is its own."""

    parts: Parts
    session: Session
    shape: Shape


class Lasting(Protocol):
    """A call that may go on after its request, for somebody who comes back for the answer."""

    run_id: str

    def began(self, run_id: str) -> None:
        """Its run has begun, or one of the same question was found."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool."""

    parts: Parts
    caller: Caller
    host: str
    tell: Tell | None = None
    ask: Ask | None = None
    roots: Roots | None = None
    lasting: Lasting | None = None
    # It was called before, and comes back with the answer to a question.
    again: bool = False
    for_view: bool = False
    is_structured: bool = True
    waiter: Waiter = field(default_factory=lambda: Waiter(Session()))

    @property
    def upstream(self) -> OpenRouter:
        """The API, paid by the caller."""
        return self.parts.upstream.with_key(self.caller.key)

    @property
    def runs(self) -> Runs:
        """The caller's runs."""
        return self.parts.runner.of(self.caller.id, self.caller.payer)

    @property
    def files_in(self) -> Path | None:
        """Where files of runs stand, if the caller can open them there."""
        return None if self.caller.afar else self.parts.shelf.folder

    def patience(self, asked: float | None) -> float:
        """How many seconds to wait before answering `running`."""
        seen = self.parts.runner.learned.limit_of(self.caller.id, self.waiter)
        return patience(self.host, self.parts.wait_seconds, asked, seen)

    async def sandbox(self) -> Sandbox:
        """The directories that may be read: the operator's, and those that the host has opened."""
        if self.roots is None:
            return self.parts.sandbox
        return await anyio.to_thread.run_sync(self.parts.sandbox.with_also, await self.roots())

    def require_key(self) -> None:
        """Paid tools need a key.

        Raises:
            NotAuthorized: There is none.
        """
        if self.caller.key is None:
            raise NotAuthorized("No OpenRouter key is set, and this call costs money")
