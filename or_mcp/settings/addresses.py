"""Addresses as a person writes them in a setting; whatever is none is a ValueError."""

from __future__ import annotations

from urllib.parse import urlsplit


def http_url(value: str) -> str:
    """The address of an API.

    Raises:
        ValueError: It is none.
    """
    address = urlsplit(value)
    if address.scheme not in ("https", "http") or not address.hostname or address.port == 0 or " " in value:
        raise ValueError(value)
    return value.rstrip("/")


def is_proxy(value: str) -> bool:
    """Whether it is a proxy's."""
    try:
        address = urlsplit(value if "://" in value else f"http://{value}")
        known = address.scheme in ("http", "https", "socks5", "socks5h") and bool(address.hostname)
        return known and address.port != 0 and value.isascii() and value.isprintable() and " " not in value
    except ValueError:
        return False
