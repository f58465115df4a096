"""OpenRouter from here: can it be reached, what is the key, does the policy match anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

from or_mcp.cli.checks.finding import Finding, failed, noted, passed, unset
from or_mcp.settings import Settings

if TYPE_CHECKING:
    from or_mcp.catalogue.snapshot import Snapshot
    from or_mcp.openrouter.client import OpenRouter
    from or_mcp.openrouter.errors import Failure
    from or_mcp.openrouter.wire.account import Key

# A connection that works answers in one; nobody wants to watch a check for longer.
_PATIENCE_SECONDS = 10.0
_LOGIN = "or-mcp login"
_VARIABLE = "OPENROUTER_API_KEY"
_KEYS_PAGE = "https://openrouter.ai/settings/keys"


def upstream(settings: Settings) -> list[Finding]:
    """Ask for the key and for the models, both at once."""
    import anyio

    return anyio.run(_ask, settings)


async def _ask(settings: Settings) -> list[Finding]:
    import anyio

    from or_mcp.identity import IDENTITY
    from or_mcp.openrouter.client import OpenRouter
    from or_mcp.openrouter.http import Http

    http = Http(settings.base_url, IDENTITY)
    try:
        await http.client()
    except (ImportError, ValueError, OSError) as error:
        return [
            failed("openrouter", f"no connection can be made ({error})", "mend the proxy or the certificates, above")
        ]
    client = OpenRouter(http, settings.api_key)
    models, key = list[Finding](), list[Finding]()

    async def look_at_models() -> None:
        models.extend(await _models(client, settings))

    async def look_at_key() -> None:
        key.extend(await _key(client, settings))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look_at_models)
        tasks.start_soon(look_at_key)
    await http.close()
    return models + key


async def _models(client: OpenRouter, settings: Settings) -> list[Finding]:
    import anyio

    from or_mcp.catalogue.snapshot import Snapshot
    from or_mcp.openrouter.errors import DeadlinePassed, Failure

    try:
        with anyio.fail_after(_PATIENCE_SECONDS):
            snapshot = Snapshot.of(await client.models())
    except TimeoutError:
        return [_unreachable(DeadlinePassed(f"no answer within {_PATIENCE_SECONDS:.0f} s"), settings)]
    except Failure as failure:
        return [_unreachable(failure, settings)]
    told = f"{settings.base_url} answers, {len(snapshot.models)} models"
    return [passed("openrouter", told), *_policy(snapshot, settings)]


def _unreachable(failure: Failure, settings: Settings) -> Finding:
    words = str(failure.message)
    if "CERTIFICATE_VERIFY_FAILED" in words:
        fix = "export SSL_CERT_FILE=FILE (the certificates of your company's proxy, in PEM)"
    elif os.environ.get("OPENROUTER_BASE_URL"):
        fix = unset("OPENROUTER_BASE_URL")
    else:
        fix = (
            f"connect to a network; `curl -I {settings.base_url}/models` shows whether there is one. "
            "Behind a proxy: export HTTPS_PROXY=http://HOST:PORT"
        )
    return failed("openrouter", f"{settings.base_url}: {words}", fix)


async def _key(client: OpenRouter, settings: Settings) -> list[Finding]:
    import anyio

    from or_mcp.openrouter.errors import Failure, NotAuthorized

    written = os.environ.get(_VARIABLE, "").strip()
    origin = _VARIABLE if settings.api_key and settings.api_key == written else "`or-mcp login`"
    if settings.api_key is None:
        unexpanded = f"; {_VARIABLE} holds a name in place of a key" if written else ""
        return [failed("key", f"none{unexpanded}: the catalogue works, paid tools do not", _LOGIN)]
    try:
        with anyio.fail_after(_PATIENCE_SECONDS):
            return list(_state_of(await client.key_status(), origin))
    except NotAuthorized as failure:
        return [failed("key", f'from {origin}; OpenRouter does not accept it ("{failure.quote}")', _renew(origin))]
    except (Failure, TimeoutError):
        return [noted("key", f"from {origin}; whether it is valid is not known while OpenRouter cannot be asked")]


def _state_of(key: Key, origin: str) -> Iterator[Finding]:
    from or_mcp.runs.key_limit import left_on

    left, expires = left_on(key), _moment(key.expires_at)
    if key.is_management_key:
        yield failed("key", f"from {origin}; a management key, which cannot pay for calls", _renew(origin))
    elif expires and expires < datetime.now(UTC):
        yield failed("key", f"from {origin}; expired on {expires:%Y-%m-%d}", _renew(origin))
    elif left is not None and left <= 0:
        yield failed("key", f"from {origin}; its limit is used up", f"raise its limit at {_KEYS_PAGE}")
    else:
        limit = "no limit of its own" if left is None else f"${left:.2f} left"
        until = f", until {expires:%Y-%m-%d}" if expires else ""
        free = ", free tier" if key.is_free_tier else ""
        yield passed("key", f"from {origin}; valid, {limit}{until}{free}")


def _renew(origin: str) -> str:
    return _LOGIN if origin != _VARIABLE else f"{unset(_VARIABLE)}; {_LOGIN}"


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _policy(snapshot: Snapshot, settings: Settings) -> Iterator[Finding]:
    """Whether what the operator allows, and what is asked by default, exists."""
    wrong = [*_globs(snapshot, settings), *_default(snapshot, settings)]
    yield from wrong or [passed("policy", _allowed(snapshot, settings))]


def _globs(snapshot: Snapshot, settings: Settings) -> Iterator[Finding]:
    for glob in settings.models:
        if glob.startswith("@preset/") or _matches(snapshot, glob):
            continue
        instead = ",".join(_instead(snapshot, each) if each == glob else each for each in settings.models)
        yield failed("policy", f"OR_MCP_MODELS: {glob} matches no model", f"export OR_MCP_MODELS='{instead}'")


def _matches(snapshot: Snapshot, glob: str) -> bool:
    from or_mcp.catalogue.policy import Policy

    return any(Policy((glob,)).allows(snapshot, model.id) for model in snapshot.models)


def _instead(snapshot: Snapshot, glob: str) -> str:
    """What may have been meant."""
    author, slash, rest = glob.partition("/")
    close = get_close_matches(author, sorted({model.id.partition("/")[0] for model in snapshot.models}), 1)
    if close and slash and _matches(snapshot, f"{close[0]}/{rest}"):
        return f"{close[0]}/{rest}"
    return (*snapshot.closest(glob.strip("*/"), 1), "MODEL")[0]


def _default(snapshot: Snapshot, settings: Settings) -> Iterator[Finding]:
    name = settings.default_model
    if "/" in name and not name.startswith("@") and snapshot.find(name) is None:
        close = (*snapshot.closest(name, 1), "openrouter/auto")[0]
        yield failed("policy", f"OR_MCP_DEFAULT_MODEL: {name} does not exist", f"export OR_MCP_DEFAULT_MODEL={close}")


def _allowed(snapshot: Snapshot, settings: Settings) -> str:
    from or_mcp.catalogue.policy import Policy

    policy = Policy(settings.models)
    if "*" in settings.models:
        return "any model is allowed"
    count = sum(policy.allows(snapshot, model.id) for model in snapshot.models)
    default = settings.default_model
    asks = "" if policy.allows(snapshot, default) else f"; `ask` needs a model named, as {default} is not among them"
    return f"{count} models are allowed{asks}"
