"""Who calls, and whose key pays."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

# Where the door leaves who came in, for the program behind it.
AT_THE_DOOR = "or_mcp.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and whose key pays. The ids are all that is ever kept of keys and tokens.

    Whoever comes from `afar` has no shell where this program runs.
    """

    id: str
    key: str | None
    payer: str
    afar: bool = False

    @classmethod
    def of(cls, key: str | None, base_url: str, *, afar: bool = False) -> Caller:
        """The caller behind a key. At another upstream the same key is another caller: a simulator's runs and
        vectors must never be taken for real ones.
        """
        own = _digest(f"{key}@{_place(base_url)}")
        return cls(own, key, own, afar)

    @classmethod
    def holding(cls, token: str, key: str | None, base_url: str) -> Caller:
        """The caller with a token of the operator's, whose key pays."""
        return cls(_digest(f"token {token}@{_place(base_url)}"), key, cls.of(key, base_url).payer, afar=True)

    @property
    def is_guest(self) -> bool:
        """Whether somebody else's key pays: what that key knows of others is none of this caller's business."""
        return self.id != self.payer


_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What an address means that names no port.
_PORTS = {"https": 443, "http": 80}


def _place(base_url: str) -> str:
    """An upstream by one name, however its address is spelled: another spelling must not begin another budget."""
    address = urlsplit(base_url)
    host = "127.0.0.1" if address.hostname in _LOOPBACK else (address.hostname or "").removesuffix(".")
    port = address.port or _PORTS.get(address.scheme)
    shown = "" if port == _PORTS.get(address.scheme) else f":{port}"
    return f"{address.scheme}://{host}{shown}{address.path.rstrip('/')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
