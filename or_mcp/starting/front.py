"""Answers a host's first questions from what was prepared, while the server is still being imported."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Collection
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any, cast

from or_mcp.hosts.table import client_named
from or_mcp.starting.starter import Begun

PREPARED = Path(__file__).with_name("greetings.json")
# As much as a pipe holds.
_CHUNK = 65_536
# More than that is the server's to read, when it is there.
_MOST_HEARD = 262_144
# No host says as much in its first requests.
_LONGEST_LINE = 8_192
_MOST_NESTED = 100
_LONGEST_ID = 100
_META = "io.modelcontextprotocol/"
_CAPABILITIES = {"roots", "sampling", "elicitation", "experimental", "extensions", "tasks"}
_GIVEN_BY_HOSTS = {"experimental", "extensions"}
_NEWS = "listChanged"


class Front:
    """Whoever answers until the server does. What is not quite plain is left to the server, which hears all of it."""

    def __init__(
        self,
        tools: Collection[str],
        *,
        answers: bool,
        structured: bool | None = None,
        wire_in: int = 0,
        wire_out: int = 1,
    ) -> None:
        self._prepared: dict[str, Any] = json.loads(PREPARED.read_bytes())
        self._tools = frozenset(tools)
        self._structured = structured
        self._wire_in, self._wire_out = wire_in, wire_out
        self._heard: list[bytes] = []
        self._rest = b""
        self._answered: list[str | int] = []
        self._size = 0
        # The request that opened the session, which tells its generation; None as long as none did.
        self._opened: str | None = None
        self._is_over = not answers
        self._hears = True

    def until(self, stop: int, seconds: float | None = None) -> bool:
        """Answer until something can be read from a descriptor. False where that took too long."""
        waiting = select.poll()
        waiting.register(stop, select.POLLIN)
        if self._hears:
            waiting.register(self._wire_in, select.POLLIN)
        end = None if seconds is None else monotonic() + seconds
        while True:
            ready = {found for found, _ in waiting.poll(None if end is None else max(0, end - monotonic()) * 1000)}
            if stop in ready or not ready:
                return stop in ready
            self._hears = self._hear()
            if not self._hears:
                waiting.unregister(self._wire_in)

    def begun(self) -> Begun:
        """What the server goes on from."""
        return Begun(b"".join(self._heard) + self._rest, self._answered)

    def _hear(self) -> bool:
        """Whether there may be more to hear."""
        try:
            chunk = os.read(self._wire_in, _CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._size += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._meet(line)
        return bool(chunk) and self._size < _MOST_HEARD

    def _meet(self, line: bytes) -> None:
        request = None if self._is_over else _request(line)
        result = None if request is None else self._result(request)
        if request is None or result is None:
            # Whatever opened this session, it was nothing that is known here.
            self._is_over = self._opened is None
            self._heard.append(line + b"\n")
            return
        # The list changes nothing in a session: the server need not hear of it.
        if request["method"] != "tools/list":
            self._heard.append(line + b"\n")
            self._answered.append(request["id"])
        self._say({"jsonrpc": "2.0", "id": request["id"], "result": result})

    def _result(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None where it is the server's to give."""
        method, params = request["method"], request.get("params", {})
        if self._opened is None:
            self._opened = self._opening(method, params)
            return self._greeting(method, params) if self._opened else None
        known = params == {} if self._opened == "initialize" else self._is_enveloped(params)
        return self._list(self._opened) if method == "tools/list" and known else None

    def _is_named(self, client: Any) -> bool:
        if not _is_named(client):
            return False
        if self._structured is None:
            # The first that names itself: the session keeps to it.
            known = client_named(client["name"])
            self._structured = known is None or not known.shows_both
        return True

    def _opening(self, method: str, params: Any) -> str | None:
        if method == "initialize" and self._is_handshake(params):
            return method
        return "server/discover" if method == "server/discover" and self._is_enveloped(params) else None

    def _is_handshake(self, params: Any) -> bool:
        return (
            _has(params, {"protocolVersion", "capabilities", "clientInfo"})
            and params["protocolVersion"] in self._prepared["versions"]["initialize"]
            and _is_plain(params["capabilities"])
            and self._is_named(params["clientInfo"])
        )

    def _is_enveloped(self, params: Any) -> bool:
        if not _has(params, {"_meta"}):
            return False
        names = {f"{_META}{name}": name for name in ("protocolVersion", "clientInfo", "clientCapabilities")}
        meta = params["_meta"]
        return (
            _has(meta, set(names))
            and meta[f"{_META}protocolVersion"] in self._prepared["versions"]["server/discover"]
            and self._is_named(meta[f"{_META}clientInfo"])
            and _is_plain(meta[f"{_META}clientCapabilities"])
        )

    def _greeting(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        told = [line for names, line in self._prepared["instructions"] if not self._tools.isdisjoint(names)]
        greeting = {**self._prepared["openings"][method], "instructions": "\n".join(told)}
        return {**greeting, "protocolVersion": params["protocolVersion"]} if method == "initialize" else greeting

    def _list(self, opening: str) -> dict[str, Any]:
        dropped = None if self._structured else "outputSchema"
        chosen = [tool for name, tool in self._prepared["tools"].items() if name in self._tools]
        tools = [{key: value for key, value in tool.items() if key != dropped} for tool in chosen]
        return {**self._prepared["lists"][opening], "tools": tools}

    def _say(self, message: dict[str, Any]) -> None:
        data = memoryview(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        while data:
            try:
                data = data[os.write(self._wire_out, data) :]
            except BlockingIOError:
                select.select([], [self._wire_out], [])
            except OSError:
                # Nobody reads: the server will find that too.
                return


class Meanwhile:
    """Has a front answer in a thread, while this process gets ready to serve."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._stop, self._stops = os.pipe()
        self._thread = Thread(target=front.until, args=(self._stop,), name="or-mcp front", daemon=True)
        self._thread.start()

    def over(self) -> Begun:
        """End it: what the server goes on from."""
        os.write(self._stops, b".")
        self._thread.join()
        os.close(self._stop)
        os.close(self._stops)
        return self._front.begun()


def _request(line: bytes) -> dict[str, Any] | None:
    """A request that is plain in every respect; None for all else."""
    # Escapes can hide what is no text, and what is nested deeply is not read everywhere.
    if len(line) > _LONGEST_LINE or b"\\" in line or line.count(b"{") + line.count(b"[") > _MOST_NESTED:
        return None
    try:
        message = _object(json.loads(line.decode(), parse_constant=_refuse))
    except (ValueError, RecursionError):
        return None
    if message is None or not {"jsonrpc", "id", "method"} <= message.keys() <= {"jsonrpc", "id", "method", "params"}:
        return None
    number = message["id"]
    is_known = type(number) in (str, int) and len(str(number)) < _LONGEST_ID
    return message if is_known and message["jsonrpc"] == "2.0" and isinstance(message["method"], str) else None


def _refuse(word: str) -> None:
    raise ValueError(word)


def _object(found: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _has(found: Any, keys: set[str]) -> bool:
    """Whether something is an object with exactly these keys."""
    return (told := _object(found)) is not None and told.keys() == keys


def _is_named(client: Any) -> bool:
    told = _object(client) or {}
    known = {"name", "version"} <= told.keys() <= {"name", "version", "title", "websiteUrl", "description"}
    return known and all(isinstance(value, str) for value in told.values())


def _is_plain(capabilities: Any) -> bool:
    """Whether capabilities are of the shape that all generations know."""
    told = _object(capabilities)
    if told is None or not told.keys() <= _CAPABILITIES:
        return False
    return all(_holds_objects(value) if name in _GIVEN_BY_HOSTS else _is_nest(value) for name, value in told.items())


def _holds_objects(found: Any) -> bool:
    told = _object(found)
    return told is not None and all(isinstance(value, dict) for value in told.values())


def _is_nest(found: Any) -> bool:
    """Whether something is objects within objects, with nothing in them but whether news are told."""
    told = _object(found)
    if told is None:
        return False
    return all(isinstance(value, bool) if name == _NEWS else _is_nest(value) for name, value in told.items())
