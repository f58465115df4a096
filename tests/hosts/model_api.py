"""A model API on loopback that follows a script: it makes a host call tools, and keeps what the host showed it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

Body = Mapping[str, Any]
Event = tuple[str, Body]


@dataclass(frozen=True)
class ToolUse:
    """A tool the model calls; the namespace is how some APIs group tools."""

    name: str
    arguments: Mapping[str, Any]
    namespace: str = ""


Step = ToolUse | Callable[[Sequence[str]], ToolUse]
"""One turn of the model: a call, or how to make one of the outputs shown so far."""


class Dialect(Protocol):
    """How one API words its requests and replies."""

    path: str

    def shown(self, request: Body) -> list[str]:
        """Every tool's output in a request, as the model reads it, oldest first."""
        ...

    def events(self, use: ToolUse | None, number: int) -> Iterable[Event]:
        """The stream that calls a tool, or says that all is done."""
        ...

    def other(self, path: str, request: Body) -> Body:
        """The reply to a request that is not a turn of the model."""
        ...


@dataclass
class ModelApi:
    """The API while it serves: where it listens, and the turns it was asked for."""

    dialect: Dialect
    script: Sequence[Step]
    url: str = ""
    turns: list[Body] = field(default_factory=list[Body])

    def outputs(self) -> list[str]:
        """What the tools answered, as the model was last shown it."""
        return self.dialect.shown(self.turns[-1])

    def answer(self, request: Body) -> Iterable[Event]:
        """The next turn. A request that offers no tools is the host's own business: a title, a summary."""
        if not request.get("tools"):
            return self.dialect.events(None, 0)
        self.turns.append(request)
        shown = self.dialect.shown(request)
        if len(shown) >= len(self.script):
            return self.dialect.events(None, len(shown))
        step = self.script[len(shown)]
        return self.dialect.events(step if isinstance(step, ToolUse) else step(shown), len(shown))


@contextmanager
def serving(dialect: Dialect, script: Sequence[Step]) -> Generator[ModelApi]:
    """The API on a free port."""
    api = ModelApi(dialect, script)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(api: ModelApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(json.dumps(api.dialect.other(self._path(), {})), "application/json")

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
            if self._path() == api.dialect.path:
                stream = (f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in api.answer(request))
                self._send("".join(stream), "text/event-stream")
            else:
                self._send(json.dumps(api.dialect.other(self._path(), request)), "application/json")

        def do_HEAD(self) -> None:
            self._send("", "application/json")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing is logged."""

        def _path(self) -> str:
            return self.path.partition("?")[0]

        def _send(self, text: str, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

    return Handler
