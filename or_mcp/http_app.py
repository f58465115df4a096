"""MCP over Streamable HTTP: authentication, limits, health."""

from __future__ import annotations

import hmac
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from or_mcp.server import Program
from or_mcp.settings import Settings, SettingsError

PATH = "/mcp"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_KEY_PREFIX = "sk-or-"


class Server(uvicorn.Server):
    """Leaves signals to its caller: uvicorn would end the process by the signal, as if it had not been served."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Nothing is captured."""
        yield


class TokenVerifier:
    """Accepts the operator's tokens, or in passthrough anything that looks like an OpenRouter key."""

    def __init__(self, settings: Settings) -> None:
        self._passthrough = settings.http_auth == "passthrough"
        self._tokens = settings.http_tokens

    async def verify_token(self, token: str) -> AccessToken | None:
        """The caller behind a bearer, or None."""
        if not (token.startswith(_KEY_PREFIX) if self._passthrough else self._is_known(token)):
            return None
        return AccessToken(token=token, client_id="bearer", scopes=[], subject=_subject(token))

    def _is_known(self, token: str) -> bool:
        # Every token is compared, in constant time: how long it takes tells nothing.
        matches = [hmac.compare_digest(token.encode(), known.encode()) for known in self._tokens]
        return any(matches)


def _subject(token: str) -> str:
    return hmac.new(b"or-mcp", token.encode(), "sha256").hexdigest()


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


def build_app(program: Program, *, stateless: bool = False) -> Starlette:
    """The ASGI app: `/mcp` and `/healthz`."""
    settings = program.settings
    checked = settings.http_auth != "none"
    return program.server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=stateless,
        transport_security=_security(settings),
        # No authorization server stands behind this: a host must say "bad key", not start an OAuth dance.
        auth=AuthSettings(issuer_url=AnyHttpUrl("https://openrouter.ai"), resource_server_url=None)
        if checked
        else None,
        token_verifier=TokenVerifier(settings) if checked else None,
        custom_starlette_routes=[Route("/healthz", _healthz)],
    )


def _security(settings: Settings) -> TransportSecuritySettings:
    hosts = [pattern for name in _LOOPBACK for pattern in (name, f"{name}:*")]
    origins = [f"http://{pattern}" for pattern in hosts]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[*hosts, *settings.http_allowed_hosts],
        allowed_origins=[*origins, *settings.http_allowed_origins],
    )


async def _healthz(request: Request) -> PlainTextResponse:
    del request
    return PlainTextResponse("ok\n")
