"""The HTTP surface: every path under /api/v1, the sign-in page, and the control paths under /_sim."""

import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from or_mcp.simulator.api import signing_in
from or_mcp.simulator.api.routes import ELSEWHERE, NOT_IMITATED, ROUTES, Handler
from or_mcp.simulator.delivery.carrying import Delivery
from or_mcp.simulator.delivery.faults import Fault, FaultError, parse_faults, rules_schema
from or_mcp.simulator.delivery.framing import Document, EventStream, Reply
from or_mcp.simulator.delivery.refusals import MESSAGES, Refused, edge_page, envelope
from or_mcp.simulator.money.accounts import fingerprint_of
from or_mcp.simulator.run.records import Origin
from or_mcp.simulator.state import AbortedRequest, Call, ReceivedRequest, State
from or_mcp.simulator.wire import JsonObject, as_object

PREFIX = "/api/v1"
_SECRET_HEADERS = ("authorization", "x-api-key", "cookie")

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
Endpoint = Callable[[Request], Awaitable[Response]]


class _Answer(Response):
    """A Delivery in the form Starlette's routes return."""

    def __init__(self, deliver: ASGIApp) -> None:
        super().__init__()
        self._deliver = deliver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._deliver(scope, receive, send)


async def _received(state: State, request: Request, path: str) -> tuple[ReceivedRequest, bytes, str | None]:
    """The request noted down, its body as it came, and the key it came with."""
    raw = await request.body()
    text = raw.decode("utf-8", "replace")
    try:
        body: Any = json.loads(text) if text else None
    except json.JSONDecodeError:
        body = text
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" and token.strip() else None
    headers = {name: value for name, value in request.headers.items() if name not in _SECRET_HEADERS}
    noted = ReceivedRequest(
        n=state.next_number(),
        method=request.method,
        path=path,
        query=request.url.query,
        headers=headers,
        body=body,
        key_fingerprint=fingerprint_of(key) if key else None,
        received_at=time.time(),
    )
    state.requests.append(noted)
    return noted, raw, key


def _scripted(call: Call) -> Document:
    """The reply a rule gives by itself."""
    fault = call.fault
    status = fault.status or (502 if fault.html else 200)
    headers: dict[str, str] = {}
    if fault.retry_after is not None:
        headers["Retry-After"] = f"{fault.retry_after:g}"
    if fault.html:
        return Document(edge_page(status), status, headers, "text/html; charset=UTF-8")
    if fault.body is not None:
        kind = fault.content_type or ("text/plain" if isinstance(fault.body, str) else "application/json")
        body = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
        return Document(body, status, headers, kind)
    refused = _as_refusal(fault, status)
    kind = fault.content_type or "application/json"
    return Document(_envelope(refused, call), status, headers, kind)


def _as_refusal(fault: Fault, status: int) -> Refused:
    availability = None if fault.availability is None else dict(fault.availability)
    if availability is not None and fault.retry_after is not None:
        availability.setdefault("retry_after", fault.retry_after)
    message = fault.message or MESSAGES.get(status, f"Error {status}")
    return Refused(status, message, error_type=fault.error_type, availability=availability)


def _envelope(refused: Refused, call: Call) -> JsonObject:
    user_id = None if refused.status == 401 else "user_simulated"
    anthropic = call.request.path == "/messages"
    return envelope(refused, anthropic=anthropic, request_id=call.origin.request_id, user_id=user_id)


def _carry_out(state: State, call: Call, handler: Handler) -> Reply:
    fault = call.fault
    if fault.replaces_reply:
        return _scripted(call)
    if fault.error_in_200:
        return Document(_envelope(_as_refusal(fault, fault.status or 502), call))
    try:
        form = call.request.headers.get("content-type", "").startswith("multipart/")
        if call.request.method == "POST" and not form and not isinstance(call.request.body, dict):
            raise Refused(400, "Invalid JSON in request body")
        return handler(state, call)
    except Refused as refused:
        return Document(_envelope(refused, call), refused.status, refused.headers)


def _endpoint(state: State, handler: Handler, path: str | None = None) -> Endpoint:
    """What answers at a path; `path` is what rules and records call it, if not what was asked for."""

    async def endpoint(request: Request) -> Response:
        asked = path.format_map(request.path_params) if path else request.url.path.removeprefix(PREFIX)
        noted, raw, key = await _received(state, request, asked)
        body = as_object(noted.body)
        model = str(body.get("model") or next(iter(body.get("models") or []), ""))
        fault = state.rules.take(noted.path, model, raw.decode("utf-8", "replace"))
        origin = Origin(
            request_id=f"req-{state.random_part(16)}",
            started=noted.received_at,
            session_id=noted.headers.get("x-session-id") if body.get("session_id") is None else body["session_id"],
            user_agent=noted.headers.get("user-agent"),
            referer=noted.headers.get("http-referer"),
        )
        base = f"{request.url.scheme}://{request.url.netloc}{PREFIX}"
        call = Call(noted, request.query_params, key, fault, origin, request.path_params, base, raw)
        reply = _carry_out(state, call, handler)
        reply.headers.setdefault("x-request-id", origin.request_id)
        return _Answer(_counted(state, noted, reply, fault))

    return endpoint


def _counted(state: State, noted: ReceivedRequest, reply: Reply, fault: Fault) -> ASGIApp:
    """A delivery that shows among the open ones while it lasts, and among the aborted if its caller leaves."""

    def left(delivery: Delivery) -> None:
        generation_id = reply.headers.get("X-Generation-Id")
        sent = delivery.events_sent
        state.aborted.append(AbortedRequest(noted.n, noted.path, generation_id, sent, time.time()))

    delivery = Delivery(reply, fault, left)
    streams = int(isinstance(reply, EventStream))

    async def deliver(scope: Scope, receive: Receive, send: Send) -> None:
        state.open_requests += 1
        state.open_streams += streams
        try:
            await delivery(scope, receive, send)
        finally:
            state.open_requests -= 1
            state.open_streams -= streams

    return deliver


def _api_routes(state: State) -> Iterable[BaseRoute]:
    for method, path, handler in ROUTES:
        yield Route(PREFIX + path, _endpoint(state, handler), methods=[method])
    handlers = {(method, path): handler for method, path, handler in ROUTES}
    for method, address, path in ELSEWHERE:
        yield Route(address, _endpoint(state, handlers[method, path], path), methods=[method])
    for first in sorted(NOT_IMITATED):
        for below in ("", "/{rest:path}"):
            yield Route(f"{first}{below}", _endpoint(state, _refuse_to_imitate), methods=_METHODS)


def _refuse_to_imitate(_state: State, call: Call) -> Reply:
    raise Refused(
        501, f"The simulator does not imitate {call.request.path}: what upstream would answer is not known here"
    )


def _page_routes(state: State) -> Iterable[BaseRoute]:
    async def decide(request: Request) -> Response:
        return signing_in.decide(state, request)

    async def show(request: Request) -> Response:
        return signing_in.show_page(request)

    yield Route("/auth", show)
    yield Route("/auth", decide, methods=["POST"])


def _control_routes(state: State) -> Iterable[BaseRoute]:
    async def requests(_request: Request) -> Response:
        return JSONResponse([asdict(noted) for noted in state.requests])

    async def stats(_request: Request) -> Response:
        totals = Counter(noted.path for noted in state.requests)
        aborted = [asdict(each) for each in state.aborted]
        open_now = {"open_streams": state.open_streams, "open_requests": state.open_requests}
        return JSONResponse(open_now | {"totals": totals, "aborted": aborted})

    async def faults(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(rules_schema())
        try:
            rules = parse_faults(await request.json())
        except (FaultError, json.JSONDecodeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        state.rules.replace(rules)
        return JSONResponse({"rules": len(rules)})

    async def reset(request: Request) -> Response:
        given = as_object(json.loads(await request.body() or b"{}"))
        try:
            amounts = {name: None if value is None else Decimal(str(value)) for name, value in given.items()}
            state.reset(**amounts)
        except (InvalidOperation, TypeError):
            return JSONResponse({"error": 'expected {"credit": number, "limit": number or null}'}, status_code=400)
        return JSONResponse({"reset": True})

    yield Route("/_sim/requests", requests)
    yield Route("/_sim/stats", stats)
    yield Route("/_sim/faults", faults, methods=["GET", "POST"])
    yield Route("/_sim/reset", reset, methods=["POST"])


def build_app(state: State) -> ASGIApp:
    """The ASGI application over one simulator's memory."""

    async def not_found(request: Request, _error: Exception) -> Response:
        return JSONResponse({"error": {"code": 404, "message": f"Not Found: {request.url.path}"}}, status_code=404)

    routes = [*_api_routes(state), *_page_routes(state), *_control_routes(state)]
    return Starlette(routes=routes, exception_handlers={404: not_found})
