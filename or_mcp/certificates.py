"""Whom connections trust where SSL_CERT_FILE says so: a system's certificates are read once, which takes 50 ms."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


@cache
def trusted(path: str) -> ssl.SSLContext:
    """The certificates of a file.

    Raises:
        OSError: It cannot be read, or holds none.
        ValueError: Its name cannot be one.
    """
    import ssl

    return ssl.create_default_context(cafile=path)
