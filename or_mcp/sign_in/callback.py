"""Where the browser comes back to: one path on loopback that nobody can guess, one answer, an end to the waiting."""

from __future__ import annotations

import hmac
import queue
import secrets
import socketserver
import sys
import threading
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from or_mcp.sign_in.waiting import first

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>or-mcp</title>
<style>body {{ font: 1.1rem/1.6 system-ui, sans-serif; margin: 15vh auto; max-width: 30rem; padding: 0 1rem }}</style>
<h1>{title}</h1><p>{text}</p></html>
"""
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Connection": "close",
}
# A browser on the same machine sends its request at once.
_IDLE_SECONDS = 10


def has_browser(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a browser on this machine would be in front of the user."""
    if environ.get("BROWSER"):
        return True
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return False
    return platform in ("win32", "darwin") or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


class SignInFailed(Exception):
    """No code came; the message says why."""


class Callback:
    """Listens on a free port of this machine, while the block runs."""

    def __init__(self) -> None:
        self._path = f"/callback/{secrets.token_urlsafe(24)}"
        self._first = threading.Lock()
        self._answer: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), partial(_Handler, self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{self._path}"

    def __enter__(self) -> Callback:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> str:
        """The code that the browser brought.

        Raises:
            SignInFailed: The user did not allow it, or nobody came in time.
        """
        answer = first(self._answer, seconds)
        if answer is None:
            raise SignInFailed(f"nobody signed in within {seconds / 60:g} minutes")
        if "code" not in answer:
            raise SignInFailed("it was not allowed in the browser")
        return answer["code"]

    def is_own(self, path: str) -> bool:
        """Whether a path is the one that only the sign-in page was told."""
        return hmac.compare_digest(path.encode(), self._path.encode())

    def is_first(self) -> bool:
        """Whether nobody answered before. Asking makes it so."""
        return self._first.acquire(blocking=False)

    def take(self, answer: dict[str, str]) -> None:
        """End the waiting."""
        self._answer.put(answer)


class _Server(socketserver.ThreadingTCPServer):
    # Browsers open connections ahead and send nothing on them: none may keep the others, or the end, waiting.
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a visitor who leaves halfway, or asks for nonsense, is none of the user's business."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _IDLE_SECONDS
    server_version = "or-mcp"
    sys_version = ""

    def __init__(self, callback: Callback, *connection: Any) -> None:
        self._callback = callback
        super().__init__(*connection)

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        callback = self._callback
        if not callback.is_own(asked.path):
            return self._say(HTTPStatus.NOT_FOUND, "Not found", "There is nothing here.")
        answer = {name: values[0] for name, values in parse_qs(asked.query).items() if len(values) == 1}
        if not answer.keys() & {"code", "error"}:
            return self._say(HTTPStatus.BAD_REQUEST, "No answer", "OpenRouter's answer is missing in this address.")
        if not callback.is_first():
            return self._say(HTTPStatus.GONE, "Already used", "The terminal has its answer. You can close this page.")
        try:
            self._say(HTTPStatus.OK, *_TOLD["code" in answer])
        finally:
            callback.take(answer)
        return None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Nothing: a line would hold the code."""

    def _say(self, status: HTTPStatus, title: str, text: str) -> None:
        page = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


_TOLD = {
    True: ("Back to the terminal", "or-mcp has OpenRouter's answer and fetches the key. You can close this page."),
    False: ("Not allowed", "No key was made. You can close this page."),
}
