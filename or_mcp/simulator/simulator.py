"""The simulator as Python programs use it."""

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal

from starlette.types import ASGIApp

from or_mcp.simulator import server
from or_mcp.simulator.api.app import PREFIX, build_app
from or_mcp.simulator.catalogue import CATALOGUE, Catalogue, read_rows
from or_mcp.simulator.delivery.faults import Fault, parse_faults
from or_mcp.simulator.state import AbortedRequest, ReceivedRequest, State


def _base_url(host: str, port: int) -> str:
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{port}{PREFIX}"


class Simulator:
    """An imitation of OpenRouter that costs nothing, the same every time for the same seed."""

    def __init__(
        self,
        *,
        seed: int = 1,
        faults: Sequence[Mapping[str, object] | Fault] = (),
        credit: Decimal | str = "100",
        generation_lag_s: float = 0.0,
        models: object = None,
    ) -> None:
        """`models` are rows as GET /models lists them, instead of the usual ones; a RowError names a wrong one."""
        catalogue = CATALOGUE if models is None else Catalogue(read_rows(models))
        self._state = State(seed, parse_faults(list(faults)), Decimal(credit), generation_lag_s, catalogue)
        self.app: ASGIApp = build_app(self._state)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """Every request received under /api/v1, oldest first."""
        return self._state.requests

    @property
    def open_streams(self) -> int:
        """The event streams being sent right now."""
        return self._state.open_streams

    @property
    def aborted(self) -> list[AbortedRequest]:
        """The requests whose callers left before the end."""
        return self._state.aborted

    def posts(self, path: str | None = None) -> list[ReceivedRequest]:
        """The POSTs received, to one path such as "/responses" or to any."""
        return [each for each in self.requests if each.method == "POST" and path in (None, each.path)]

    def script(self, *rules: Mapping[str, object] | Fault) -> None:
        """Replace the rules; a FaultError names a field that makes no sense."""
        self._state.rules.replace(parse_faults(rules))

    def reset(self, *, credit: Decimal | str | None = None, limit: Decimal | str | None = None) -> None:
        """Back to how it was built, with this credit and key limit for every key if given."""
        amounts = [None if amount is None else Decimal(amount) for amount in (credit, limit)]
        self._state.reset(*amounts)

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[str]:
        """Serve on a socket from this event loop; yields the base URL."""
        async with server.serve(self.app, host, port) as taken:
            yield _base_url(host, taken)

    @contextmanager
    def serve_in_thread(self, host: str = "127.0.0.1", port: int = 0) -> Generator[str]:
        """Serve on a socket from a thread; yields the base URL."""
        with server.serve_in_thread(self.app, host, port) as taken:
            yield _base_url(host, taken)
