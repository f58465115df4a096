"""The sign-in in a browser: the page at /auth, and the exchange of its code for a key."""

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from or_mcp.simulator.delivery.framing import Document
from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import as_object

_METHODS = ("S256", "plain")
_LOCAL = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class _Asked:
    callback_url: str
    challenge: str
    method: str


def _asked(request: Request) -> _Asked:
    query = request.query_params
    asked = _Asked(
        query.get("callback_url", ""), query.get("code_challenge", ""), query.get("code_challenge_method", "S256")
    )
    callback = urlsplit(asked.callback_url)
    if asked.method not in _METHODS:
        raise Refused(400, "Invalid code_challenge_method")
    if asked.callback_url and not (callback.scheme == "https" or callback.hostname in _LOCAL):
        raise Refused(400, "Invalid callback_url")
    if not asked.callback_url and not asked.challenge:
        raise Refused(400, "A code_challenge is required without a callback_url")
    return asked


def _page(body: str, status: int = 200) -> Response:
    return HTMLResponse(f"<!doctype html><title>[simulated] OpenRouter</title><h1>[simulated]</h1>{body}", status)


def show_page(request: Request) -> Response:
    """GET /auth: whether the user allows a key."""
    try:
        _asked(request)
    except Refused as refused:
        return _page(f"<p>{escape(refused.message)}</p>", refused.status)
    label = escape(request.query_params.get("key_label") or "An app")
    buttons = "".join(
        f'<button formaction="/auth?{escape(f"{request.url.query}&decision={decision}")}">{decision}</button>'
        for decision in ("allow", "deny")
    )
    return _page(f'<p>{label} asks for a key. Nothing here is real.</p><form method="post">{buttons}</form>')


def decide(state: State, request: Request) -> Response:
    """POST /auth: the user's decision, sent to the callback or shown."""
    try:
        asked = _asked(request)
    except Refused as refused:
        return _page(f"<p>{escape(refused.message)}</p>", refused.status)
    answer = {"error": "access_denied"}
    if request.query_params.get("decision") == "allow":
        code = f"auth_code_{state.random_part(24)}"
        state.codes[code] = (asked.method, asked.challenge)
        answer = {"code": code}
    if not asked.callback_url:
        return _page(f"<p>Your code:</p><pre>{answer.get('code', 'none: not allowed')}</pre>")
    joint = "&" if urlsplit(asked.callback_url).query else "?"
    return RedirectResponse(f"{asked.callback_url}{joint}{urlencode(answer)}", 302)


def exchange(state: State, call: Call) -> Document:
    """POST /auth/keys: a key for a code, once."""
    body = as_object(call.request.body)
    code, verifier = str(body.get("code", "")), str(body.get("code_verifier") or "")
    method, challenge = state.codes.get(code, ("", ""))
    if method and challenge and body.get("code_challenge_method") != method:
        raise Refused(400, "Invalid code_challenge_method")
    if not method or (challenge and _challenge_of(verifier, method) != challenge):
        raise Refused(403, "Invalid code or code_verifier")
    del state.codes[code]
    return Document({"key": f"sk-or-v1-simulated-{state.random_part(40)}", "user_id": "user_simulated"})


def _challenge_of(verifier: str, method: str) -> str:
    if method == "plain":
        return verifier
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
