"""Asking OpenRouter for a key in the user's name: PKCE, so that a code is worth nothing without this process."""

from __future__ import annotations

import base64
import hashlib
import secrets
from urllib.parse import urlencode, urlsplit

_API_PATH = "/api/v1"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def sign_in_page(base_url: str) -> str:
    """The page where a user allows a key for an API.

    Raises:
        ValueError: No such page is known; the message says why.
    """
    api = urlsplit(base_url)
    if not api.path.endswith(_API_PATH):
        raise ValueError(f"it has no sign-in page that is known: it does not end in {_API_PATH}")
    if api.scheme != "https" and api.hostname not in _LOOPBACK:
        raise ValueError("a key is not asked for over plain http")
    # A region's host serves the API alone; users sign in at the main one.
    netloc = "openrouter.ai" if (api.hostname or "").endswith(".openrouter.ai") else api.netloc
    return f"{api.scheme}://{netloc}{api.path.removesuffix(_API_PATH)}/auth"


class SignIn:
    """One attempt. Whoever learns its code can do nothing with it: the verifier never leaves this process."""

    def __init__(self, page: str) -> None:
        self.verifier = secrets.token_urlsafe(48)
        self._page = page

    def url(self, label: str, callback_url: str | None = None) -> str:
        """Where the user allows it; without a callback the page shows the code instead of sending it."""
        query = {"callback_url": callback_url} if callback_url else {}
        query |= {"code_challenge": challenge_of(self.verifier), "code_challenge_method": "S256", "key_label": label}
        return f"{self._page}?{urlencode(query)}"


def challenge_of(verifier: str) -> str:
    """What stands for a verifier in public (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
