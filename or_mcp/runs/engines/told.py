"""The trouble of a connection to a database, in words that hold no part of its URL."""

from __future__ import annotations

# What libpq says itself may repeat parts of the URL.
_TOLD = {
    "Connection refused": "nobody listens at its address",
    "could not translate host name": "its host name is unknown",
    "failed to resolve host": "its host name is unknown",
    "password authentication failed": "it does not accept the password",
    "no password supplied": "it asks for a password",
    "does not exist": "it has no such database or user",
    "no pg_hba.conf entry": "it does not let this host in",
    "too many": "it has no connection left",
    "remaining connection slots": "it has no connection left",
    "timeout": "it does not answer",
    "certificate": "its certificate is not trusted",
    "SSL": "it speaks no TLS as demanded",
    "starting up": "it is starting",
    "shutting down": "it is shutting down",
    "read-write": "none of its hosts takes writes",
}
# These do not pass while one waits.
LASTING = {_TOLD["does not exist"], _TOLD["password authentication failed"], _TOLD["no password supplied"]}


def meaning(words: str) -> str:
    """What libpq's words mean."""
    return next((meaning for sign, meaning in _TOLD.items() if sign in words), "the connection broke")
