"""Every request seen from outside: one line of log, and counts. No prompts, no keys, no callers."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio
from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from or_mcp.calls.reply import FACTS
from or_mcp.settings import TOOL_NAMES
from or_mcp.web.doors import PATH
from or_mcp.web.metrics import Metrics

logger = logging.getLogger("or_mcp.requests")

_NOTE = "or_mcp.note"
_METHODS = frozenset({"GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT"})


@dataclass(slots=True)
class Note:
    """What becomes known of a request while it is answered."""

    tool: str = ""
    outcome: str = ""
    run_id: str = ""


class JsonLines(logging.Formatter):
    """A log of one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= getattr(record, "fields", {})
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def log_as_json(level: str, name: str | None = None) -> None:
    """Log on stderr as JSON lines: all of the process, or what begins with this name."""
    log = logging.getLogger(name)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(level)


class RequestWatch:
    """Sees every request go by."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._paths = paths
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and tell of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        note = scope[_NOTE] = Note()
        status, began = 0, anyio.current_time()

        async def see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._flies(1)
        try:
            await self._app(scope, receive, see)
        finally:
            self._flies(-1)
            self._tell(scope, status, anyio.current_time() - began, note)

    def _flies(self, change: int) -> None:
        self._in_flight += change
        self._metrics.set("or_mcp_http_requests_in_flight", self._in_flight)

    def _tell(self, scope: Scope, status: int, seconds: float, note: Note) -> None:
        # Anything may be asked for: names that callers make up are neither counted nor repeated.
        path = scope["path"] if scope["path"] in self._paths else "other"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.count("or_mcp_http_requests_total", method=method, path=path, status=str(status or 499))
        fields: dict[str, Any] = {"method": method, "path": path, "status": status or 499, "ms": round(seconds * 1000)}
        known = {"tool": note.tool, "outcome": note.outcome, "run_id": note.run_id}
        fields |= {name: value for name, value in known.items() if value}
        # Probes come every few seconds.
        level = logging.INFO if path == PATH else logging.DEBUG
        logger.log(level, "%s %s %s", method, path, status or "left", extra={"fields": fields})


class CallWatch:
    """Sees every tool call go by."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Serve a message, and tell of it if it is a tool call."""
        if ctx.method != "tools/call":
            return await call_next(ctx)
        given = (ctx.params or {}).get("name")
        tool = given if given in TOOL_NAMES else "unknown"
        note = ctx.request.scope.get(_NOTE, Note()) if ctx.request is not None else Note()
        note.tool, note.outcome = tool, "cancelled"
        began = anyio.current_time()
        try:
            result = await call_next(ctx)
            note.outcome, note.run_id = _outcome(result)
        except MCPError:
            note.outcome = "protocol_error"
            raise
        finally:
            self._metrics.count("or_mcp_tool_calls_total", tool=tool, outcome=note.outcome)
            self._metrics.took("or_mcp_tool_call_seconds", anyio.current_time() - began, tool=tool)
        return result


def _outcome(result: HandlerResult) -> tuple[str, str]:
    """How a call went, and its run."""
    said = result if isinstance(result, Mapping) else result.model_dump(by_alias=True) if result else {}
    if "taskId" in said:
        return "task", said["taskId"]
    if "content" not in said:
        return "question", ""
    beside: Mapping[str, Any] = said.get("_meta") or {}
    facts: Mapping[str, str] = beside.get(FACTS) or {}
    stands = "running" if facts.get("status") == "running" else "ok"
    return facts.get("kind", "error") if said.get("isError") else stands, facts.get("run_id", "")
