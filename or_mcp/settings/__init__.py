"""Everything an operator can set: one row a variable, in one table, read once at start."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import InvalidOperation
from pathlib import Path
from typing import Any

from or_mcp.certificates import trusted
from or_mcp.offered import TOOL_NAMES
from or_mcp.places import credentials_file, state_directory, working_directory
from or_mcp.servers.file import FileProblem, Server, resolved
from or_mcp.settings.addresses import is_proxy
from or_mcp.settings.table import VARIABLES, Settings, Variable
from or_mcp.settings.written import SERVERS, SERVERS_FILE, SettingsError, as_key
from or_mcp.sign_in.credentials import stored_key

__all__ = ["TOOL_NAMES", "VARIABLES", "Settings", "SettingsError", "check_way_out", "read_settings"]

_PROXY = "the URL of a proxy, http://, https://, socks5:// or socks5h://"


def read_settings(environ: Mapping[str, str], *, over_http: bool = False) -> Settings:
    """Read every variable once. Over HTTP callers are others than who started this, and nothing is read for them by
    default.

    Raises:
        SettingsError: A variable holds something it does not accept.
    """
    check_way_out(environ)
    chosen: dict[str, Any] = {row.field: _read(row, environ) for row in VARIABLES}
    if over_http and not environ.get("OR_MCP_ALLOWED_DIRS", "").strip():
        chosen["allowed_dirs"] = ()
    chosen["servers"] = () if over_http and not chosen["servers_for_callers"] else _resolved(chosen["servers"], environ)
    if chosen["api_key"] is None:
        chosen["api_key"] = _stored_key(environ, chosen["base_url"])
    return Settings(**chosen)


def _resolved(servers: tuple[Server, ...], environ: Mapping[str, str]) -> tuple[Server, ...]:
    try:
        return tuple(resolved(server, environ) for server in servers)
    except FileProblem as problem:
        raise SettingsError(SERVERS, environ[SERVERS], f"{SERVERS_FILE} ({problem})") from None


def check_way_out(environ: Mapping[str, str]) -> None:
    """Refuse certificates and proxies with which no connection can be built: in a session it would be too late.

    Raises:
        SettingsError: A variable that every program reads holds something that cannot be used.
    """
    certificates = environ.get("SSL_CERT_FILE", "")
    if certificates:
        try:
            trusted(certificates)
        except (OSError, ValueError):
            raise SettingsError("SSL_CERT_FILE", certificates, "a file of certificates in PEM") from None
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        for spelled in (name.lower(), name):
            if environ.get(spelled) and not is_proxy(environ[spelled]):
                raise SettingsError(spelled, "(hidden)" if "@" in environ[spelled] else environ[spelled], _PROXY)


def _stored_key(environ: Mapping[str, str], base_url: str) -> str | None:
    """The key that `or-mcp login` stored for this API: it is never sent to another."""
    try:
        return as_key(stored_key(credentials_file(environ), base_url) or "")
    except (ValueError, RuntimeError):
        return None


def _read(row: Variable, environ: Mapping[str, str]) -> Any:
    value = environ.get(row.name, "").strip() or _default(row, environ)
    try:
        return row.parse(value)
    except (ValueError, KeyError, InvalidOperation, RuntimeError):
        raise SettingsError(row.name, "(hidden)" if row.secret else value, row.accepts) from None


def _default(row: Variable, environ: Mapping[str, str]) -> str:
    if row.field == "data_dir":
        return state_directory(environ)
    if row.field == "allowed_dirs":
        return working_directory(environ, Path())
    return row.default
