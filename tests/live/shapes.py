"""Where two replies differ, by their fields and types and not by their words."""

import re
from collections.abc import Iterator
from typing import Any, cast

# Identifiers, addresses of accounts and sealed texts: what a recording must not hold.
_IDENTITIES = re.compile(
    r"\b(gen|resp|msg|rs|call|req|fc|st|ws|up|ep|chatcmpl|srvtoolu|toolu|user|org|ws|file|batch|key)[-_][A-Za-z0-9_-]{6,}"
)
_KEYS = re.compile(r"sk-or-[A-Za-z0-9_-]+(\.\.\.[A-Za-z0-9]+)?")
_NAMES = """
    data encrypted_content signature user_id organization_id workspace_id creator_user_id label b64_json encrypted_index
    external_user session_id app_id origin
"""
_SECRETS = frozenset(_NAMES.split())


def blanked(value: Any, name: str = "") -> Any:
    """The same without keys, ids and sealed texts."""
    if isinstance(value, dict):
        return {key: blanked(item, key) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [blanked(item, name) for item in cast("list[Any]", value)]
    if isinstance(value, str):
        if name in _SECRETS:
            return "blanked"
        return _IDENTITIES.sub(lambda found: f"{found[1]}-blanked", _KEYS.sub("sk-or-blanked", value))
    return value


def fields_of(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every field with the type of what it holds; the places of a list are one."""
    if isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            yield from fields_of(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from fields_of(item, f"{path}[]")
    else:
        kind = "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__
        yield path, kind


def differences(real: Any, ours: Any) -> list[str]:
    """Fields that only one of them has, and fields of other types; a null fits every type."""
    there, here = _typed(real), _typed(ours)
    found = [f"{path}: only upstream" for path in sorted(there.keys() - here.keys())]
    found += [f"{path}: only the simulator" for path in sorted(here.keys() - there.keys())]
    for path in sorted(there.keys() & here.keys()):
        known, made = there[path] - {"NoneType"}, here[path] - {"NoneType"}
        if known and made and not known & made:
            found.append(f"{path}: upstream {'|'.join(sorted(known))}, the simulator {'|'.join(sorted(made))}")
    return found


def _typed(value: Any) -> dict[str, set[str]]:
    typed: dict[str, set[str]] = {}
    for path, kind in fields_of(value):
        typed.setdefault(path, set()).add(kind)
    return typed


def order_of(events: list[dict[str, Any]]) -> list[str]:
    """The types of a stream's events, repetitions once."""
    kinds = [str(event.get("type") or event.get("object")) for event in events]
    return [kind for n, kind in enumerate(kinds) if n == 0 or kind != kinds[n - 1]]
