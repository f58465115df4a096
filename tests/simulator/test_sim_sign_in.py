"""The simulated sign-in: codes that work once, with the verifier they were asked for, as the documentation says."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import partial
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import openrouter
import pytest
from openrouter import errors

from or_mcp.simulator import Simulator

VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CALLBACK = "http://localhost:3000/callback"


def asked(**query: str) -> str:
    return "/auth?" + urlencode(query)


def decided(root: str, decision: str, **query: str) -> httpx2.Response:
    return httpx2.post(f"{root}{asked(**query)}&decision={decision}")


def code_of(reply: httpx2.Response) -> str:
    return parse_qs(urlsplit(reply.headers["location"]).query)["code"][0]


def root_of(base_url: str) -> str:
    return base_url.removesuffix("/api/v1")


def test_the_official_package_exchanges_a_code_once(simulator: Simulator):
    with simulator.serve_in_thread() as base_url:
        query = {"callback_url": CALLBACK, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        reply = decided(root_of(base_url), "allow", **query)
        assert reply.headers["location"].startswith(f"{CALLBACK}?code=")
        official = openrouter.OpenRouter(api_key="none", server_url=base_url)
        exchange = partial(
            official.o_auth.exchange_auth_code_for_api_key,
            code=code_of(reply),
            code_verifier=VERIFIER,
            code_challenge_method="S256",
        )
        assert exchange().key.startswith("sk-or-v1-")
        with pytest.raises(errors.ForbiddenResponseError, match="Invalid code or code_verifier"):
            exchange()


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"code_verifier": "another"}, 403, "Invalid code or code_verifier"),
        ({"code": "auth_code_made_up"}, 403, "Invalid code or code_verifier"),
        ({"code_challenge_method": "plain"}, 400, "Invalid code_challenge_method"),
    ],
)
def test_a_wrong_exchange_is_refused_and_the_code_still_works(
    simulator: Simulator, change: dict[str, str], status: int, message: str
):
    with simulator.serve_in_thread() as base_url:
        query = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        shown = re.search(r"<pre>(.+)</pre>", decided(root_of(base_url), "allow", **query).text)
        assert shown is not None
        given = {"code": shown[1], "code_verifier": VERIFIER, "code_challenge_method": "S256"}
        refused = httpx2.post(f"{base_url}/auth/keys", json=given | change)
        assert (refused.status_code, refused.json()["error"]["message"]) == (status, message)
        assert httpx2.post(f"{base_url}/auth/keys", json=given).status_code == 200
        assert httpx2.get(f"{base_url}/auth/keys").status_code == 405


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "A code_challenge is required without a callback_url"),
        ({"callback_url": "http://evil.example/"}, "Invalid callback_url"),
        ({"callback_url": CALLBACK, "code_challenge_method": "md5"}, "Invalid code_challenge_method"),
    ],
)
def test_a_page_that_was_asked_for_wrongly_gives_no_code(simulator: Simulator, query: dict[str, str], message: str):
    with simulator.serve_in_thread() as base_url:
        shown = httpx2.get(root_of(base_url) + asked(**query))
        pressed = decided(root_of(base_url), "allow", **query)
    assert [reply.status_code for reply in (shown, pressed)] == [400, 400]
    assert message in shown.text
    assert message in pressed.text


def test_a_denial_comes_back_as_an_error(simulator: Simulator):
    with simulator.serve_in_thread() as base_url:
        sent = decided(root_of(base_url), "deny", callback_url=f"{CALLBACK}?id=1")
        shown = decided(root_of(base_url), "deny", code_challenge=CHALLENGE)
    assert sent.headers["location"] == f"{CALLBACK}?id=1&error=access_denied"
    assert "not allowed" in shown.text
