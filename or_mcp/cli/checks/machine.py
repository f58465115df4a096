"""This machine: Python, our packages, settings, proxies, certificates, uv."""

from __future__ import annotations

import platform
import shutil
import ssl
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from or_mcp import __version__
from or_mcp.cli.checks.finding import Finding, failed, noted, passed, unset
from or_mcp.settings import VARIABLES, Settings, SettingsError, read_settings

# As `requires-python` says.
_OLDEST = (3, 11)
_NEEDED = ("mcp", "httpx2", "pydantic", "numpy", "starlette", "uvicorn", "jsonschema")
_PROXIES = ("http", "https", "socks5", "socks5h")


def python() -> Iterator[Finding]:
    """The interpreter and our package in it."""
    told = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info >= _OLDEST:
        yield passed("python", told)
    else:
        yield failed("python", f"{told}: or-mcp needs 3.11", "uv tool install --python 3.12 or-mcp")
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        yield failed("package", f"{', '.join(missing)} missing", f"{sys.executable} -m pip install --upgrade or-mcp")
    else:
        yield passed("package", f"or-mcp {__version__}, mcp {_version('mcp')}, httpx2 {_version('httpx2')}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "of unknown version"


def settings_of(environ: Mapping[str, str]) -> tuple[Settings, list[Finding]]:
    """The settings, with the default for each that is wrong."""
    left, wrong = dict(environ), list[Finding]()
    while True:
        try:
            settings = read_settings(left)
            break
        except SettingsError as error:
            wrong.append(failed("settings", str(error), unset(error.variable)))
            del left[error.variable]
    known = [row.name for row in VARIABLES]
    for name in sorted(environ):
        if name.startswith("OR_MCP_") and name not in known:
            close = get_close_matches(name, known, 1, 0.5)
            meant = f"; did you mean {close[0]}?" if close else ""
            wrong.append(failed("settings", f"{name} is no setting of ours, and does nothing{meant}", unset(name)))
    given = [name for name in known if environ.get(name, "").strip()]
    return settings, wrong or [passed("settings", f"set: {', '.join(given)}" if given else "all as by default")]


def proxy() -> Iterator[Finding]:
    """The proxies that the connection to OpenRouter goes through."""
    from urllib.request import getproxies

    found = {scheme: address for scheme, address in getproxies().items() if scheme in ("http", "https", "all")}
    wrong = [finding for scheme, address in found.items() for finding in _wrong_proxy(scheme, address)]
    told = ", ".join(f"{scheme} through {_without_password(address)}" for scheme, address in found.items())
    yield from wrong or [passed("proxy", told or "none")]


def _wrong_proxy(scheme: str, address: str) -> Iterator[Finding]:
    variable = f"{scheme.upper()}_PROXY"
    try:
        parts = urlsplit(address)
        usable = parts.scheme in _PROXIES and parts.hostname and parts.port != 0
    except ValueError:
        parts, usable = urlsplit(""), False
    if not usable:
        told = f"{variable} is {_without_password(address)!r}, not an address such as http://proxy.example:3128"
        yield failed("proxy", told, f"export {variable}=http://HOST:PORT, or {unset(variable)}")
    elif parts.scheme.startswith("socks") and find_spec("socksio") is None:
        told = f"{variable} is a SOCKS proxy, which needs the package socksio"
        yield failed("proxy", told, f"{sys.executable} -m pip install 'httpx2[socks]'")


def _without_password(address: str) -> str:
    """An address as it may be shown."""
    head, at, tail = address.rpartition("@")
    return f"{head.partition('//')[0]}//…@{tail}" if at and "//" in head else f"…@{tail}" if at else address


def certificates(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Which authorities are trusted."""
    file, directory = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    wrong: list[Finding] = []
    if file:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        except OSError as error:
            told = f"SSL_CERT_FILE is {file}, which cannot be used ({error.strerror or error})"
            wrong.append(failed("certificates", told, unset("SSL_CERT_FILE")))
    if directory and not file and not Path(directory).is_dir():
        wrong.append(
            failed("certificates", f"SSL_CERT_DIR is {directory}, which is no directory", unset("SSL_CERT_DIR"))
        )
    told = file or directory
    yield from wrong or [passed("certificates", f"those in {told}" if told else "those of the system")]


def uv(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether `uvx or-mcp` can work here."""
    found = shutil.which("uvx", path=environ.get("PATH"))
    if found:
        yield passed("uvx", found)
    else:
        yield noted("uvx", "not on the PATH; `or-mcp install` names this installation instead")
