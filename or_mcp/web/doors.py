"""Who comes in: the operator's tokens, or each caller's own OpenRouter key; and how everybody else is turned away."""

from __future__ import annotations

import hmac
import re

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from or_mcp.calls.caller import AT_THE_DOOR, Caller
from or_mcp.settings import Settings, SettingsError
from or_mcp.web.buckets import Buckets
from or_mcp.web.keys import Keys, come_again

PATH = "/mcp"
METADATA = "/.well-known/oauth-protected-resource"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# OpenRouter's are 73 characters long; others that look like them are let through as far as being asked about.
_KEY = re.compile(r"sk-or-[!-~]{2,250}")
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s/@:?#\[\]]+)(?::[0-9]{1,5})?"
_ADDRESSES = {
    b"host": (re.compile(_HOST), 421),
    b"origin": (re.compile(rf"null|[a-z][a-z0-9+.-]*://{_HOST}", re.IGNORECASE), 403),
}
# A client with an old token tries again and again; guessing one would take for ever.
_FAILED_PER_MINUTE = 120
_DOCUMENTATION = "https://github.com/or-mcp/or-mcp#for-a-team"
_WANTED = {
    "token": "one of this server's tokens (OR_MCP_HTTP_TOKENS), as Authorization: Bearer",
    "passthrough": "your OpenRouter key (sk-or-...), as Authorization: Bearer",
}


def check_bind(settings: Settings, host: str) -> None:
    """Refuse to serve the operator's money to a network without asking who calls.

    Raises:
        SettingsError: The bind is not loopback and there is no authentication, or there are no tokens to compare.
    """
    if settings.http_auth == "none" and not is_loopback(host):
        raise SettingsError("OR_MCP_HTTP_AUTH", "none", f"token or passthrough when the bind ({host}) is not loopback")
    if settings.http_auth == "token" and not settings.http_tokens:
        raise SettingsError("OR_MCP_HTTP_TOKENS", "", "at least one bearer token when OR_MCP_HTTP_AUTH is token")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a bind."""
    return host in ("localhost", "::1") or host.startswith("127.")


def known_hosts(settings: Settings) -> TransportSecuritySettings:
    """Which Host and Origin headers are accepted."""
    hosts = [pattern for name in _LOOPBACK for pattern in (name, f"{name}:*")]
    origins = [f"http://{pattern}" for pattern in hosts]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[*hosts, *settings.http_allowed_hosts],
        allowed_origins=[*origins, *settings.http_allowed_origins],
    )


def is_one_of(token: str, known: tuple[str, ...]) -> bool:
    """Whether a token is known. Every one is compared, in constant time: how long it takes tells nothing."""
    matches = [hmac.compare_digest(token.encode(), each.encode()) for each in known]
    return any(matches)


class TokenVerifier:
    """Accepts the operator's tokens, or in passthrough anything that looks like an OpenRouter key."""

    def __init__(self, settings: Settings) -> None:
        self._passthrough = settings.http_auth == "passthrough"
        self._tokens = settings.http_tokens

    async def verify_token(self, token: str) -> AccessToken | None:
        """The caller behind a bearer, or None."""
        if not (_KEY.fullmatch(token) is not None if self._passthrough else is_one_of(token, self._tokens)):
            return None
        return AccessToken(token=token, client_id="bearer", scopes=[], subject=_subject(token))


def _subject(token: str) -> str:
    return hmac.new(b"or-mcp", token.encode(), "sha256").hexdigest()


def subject_of(scope: Scope) -> str:
    """What stands for the caller of a request: the same for the same bearer, and empty where nobody is asked."""
    user = scope.get("user")
    return (user.access_token.subject or "") if isinstance(user, AuthenticatedUser) else ""


class Door:
    """Lets callers in whose bearer was accepted, and tells everybody else what is wanted.

    Only failures are counted: whoever shares an address with somebody who guesses comes in all the same.
    """

    def __init__(self, app: ASGIApp, settings: Settings, keys: Keys | None = None) -> None:
        self._app = app
        self._keys = keys
        self._settings = settings
        self._wanted = _WANTED[settings.http_auth]
        self._failed = Buckets(_FAILED_PER_MINUTE, 60)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        user, address = scope.get("user"), str((scope.get("client") or ("",))[0])
        accepted: bool | Response = isinstance(user, AuthenticatedUser)
        if isinstance(user, AuthenticatedUser) and self._keys is not None:
            accepted = await self._keys.is_known(user.access_token.token, subject_of(scope), address)
        if isinstance(accepted, Response):
            await accepted(scope, receive, send)
        elif isinstance(user, AuthenticatedUser) and accepted:
            scope[AT_THE_DOOR] = self._caller(user.access_token.token)
            await self._app(scope, receive, send)
        else:
            await self._turned_away(Request(scope), address)(scope, receive, send)

    def _caller(self, bearer: str) -> Caller:
        settings = self._settings
        if settings.http_auth == "passthrough":
            return Caller.of(bearer, settings.base_url, afar=True)
        return Caller.holding(bearer, settings.api_key, settings.base_url)

    def _turned_away(self, request: Request, address: str) -> Response:
        wait = self._failed.take(address)
        if wait:
            return come_again(wait, "too many requests from this address were refused")
        given = request.headers.get("authorization", "")
        description = f"{'That is not' if given else 'This server wants'} {self._wanted}"
        metadata = request.url.replace(path=f"{METADATA}{PATH}", query="")
        challenge = f'Bearer error="invalid_token", error_description="{description}", resource_metadata="{metadata}"'
        body = {"error": "invalid_token", "error_description": description}
        return JSONResponse(body, 401, {"WWW-Authenticate": challenge})


class PlainAddresses:
    """Turns away whoever gives a Host or Origin that is no address: a comparison by its beginning would be misled.

    Spaces and tabs around a header's value are no part of it; httptools leaves them there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        headers = [(name, value.strip(b" \t")) for name, value in scope.get("headers", ())]
        for name, value in headers:
            shape, status = _ADDRESSES.get(name, (None, 0))
            if shape is not None and not shape.fullmatch(value.decode("latin-1")):
                await PlainTextResponse(f"Invalid {name.decode().title()} header\n", status)(scope, receive, send)
                return
        scope["headers"] = headers
        await self._app(scope, receive, send)


class LoopbackOnly:
    """Where nobody is asked who they are, only this machine may come in, whatever address is served."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that came to a loopback address."""
        host, port = scope.get("server") or ("localhost", None)
        if port is None or is_loopback(host):
            await self._app(scope, receive, send)
            return
        words = "OR_MCP_HTTP_AUTH is none, which serves loopback only; set it to token or passthrough"
        await JSONResponse({"error": "forbidden", "error_description": words}, 403)(scope, receive, send)


async def no_sign_in(request: Request) -> Response:
    """Clients that can sign in try it here when their bearer was refused: they are told what to do instead."""
    wanted = _WANTED[request.app.state.settings.http_auth]
    words = f"The bearer was refused, and there is no sign-in here: send {wanted}"
    return JSONResponse({"error": "access_denied", "error_description": words}, 400)


async def metadata(request: Request) -> Response:
    """What RFC 9728 tells of a protected resource.

    No authorization server is named, since there is none: a client with a bad bearer must say so, and not
    begin a dance.
    """
    address: URL = request.url.replace(path=PATH, query="")
    return JSONResponse(
        {
            "resource": str(address),
            "resource_name": "OpenRouter (or-mcp)",
            "resource_documentation": _DOCUMENTATION,
            "bearer_methods_supported": ["header"],
        }
    )
