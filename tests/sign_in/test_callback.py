"""The address on loopback where the browser comes back to."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Generator
from urllib.parse import urlsplit

import pytest

from or_mcp.sign_in.callback import Callback, SignInFailed, has_browser

MOMENT = 0.05
PATIENCE = 10


@pytest.fixture
def callback() -> Generator[Callback]:
    with Callback() as listening:
        yield listening


def visited(callback: Callback, query: str = "", path: str = "", method: str = "GET") -> tuple[int, str]:
    address = urlsplit(callback.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE)
    connection.request(method, (path or address.path) + query)
    with connection.getresponse() as reply:
        page = reply.read().decode()
    connection.close()
    return reply.status, page


def test_the_code_is_taken_from_the_browser(callback: Callback):
    status, page = visited(callback, "?code=auth_code_1")
    assert (status, callback.wait(PATIENCE)) == (200, "auth_code_1")
    assert "auth_code_1" not in page


@pytest.mark.parametrize("path", ["/", "/callback", "/callback/", "/callback/guessed", "/favicon.ico"])
def test_an_address_that_the_sign_in_page_was_not_told_is_not_found_and_ends_nothing(callback: Callback, path: str):
    assert visited(callback, "?code=stolen", path)[0] == 404
    with pytest.raises(SignInFailed):
        callback.wait(MOMENT)


def test_two_sign_ins_have_addresses_of_their_own(callback: Callback):
    with Callback() as other:
        assert urlsplit(other.url).path != urlsplit(callback.url).path
        assert visited(other, "?code=x", urlsplit(callback.url).path)[0] == 404


@pytest.mark.parametrize("query", ["", "?state=1", "?code=", "?code=a&code=b"])
def test_a_visit_without_an_answer_ends_nothing(callback: Callback, query: str):
    assert visited(callback, query)[0] == 400
    assert visited(callback, "?code=good")[0] == 200
    assert callback.wait(PATIENCE) == "good"


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_only_a_visit_answers(callback: Callback, method: str):
    assert visited(callback, "?code=early", method=method)[0] == 501
    with pytest.raises(SignInFailed):
        callback.wait(MOMENT)


def test_the_first_answer_counts_and_no_other(callback: Callback):
    assert visited(callback, "?code=first")[0] == 200
    assert visited(callback, "?code=second")[0] == 410
    assert callback.wait(PATIENCE) == "first"
    with pytest.raises(SignInFailed):
        callback.wait(MOMENT)


def test_a_denial_is_told_as_one(callback: Callback):
    status, page = visited(callback, "?error=access_denied")
    assert (status, "No key was made" in page) == (200, True)
    with pytest.raises(SignInFailed, match="not allowed in the browser"):
        callback.wait(PATIENCE)


def test_waiting_has_an_end(callback: Callback):
    with pytest.raises(SignInFailed, match=r"nobody signed in within 0\.001 minutes"):
        callback.wait(0.06)


def test_a_connection_that_says_nothing_keeps_nobody_waiting():
    with Callback() as callback:
        address = urlsplit(callback.url)
        silent = socket.create_connection((str(address.hostname), address.port), PATIENCE)
        assert visited(callback, "?code=good")[0] == 200
        assert callback.wait(PATIENCE) == "good"
    silent.close()


@pytest.mark.parametrize(
    "request_line", [b"GET http://[ HTTP/1.1", b"nonsense", b"GET /" + b"x" * 70_000, b"\x16\x03\x01"]
)
def test_nonsense_ends_nothing_and_is_not_shown_to_the_user(
    callback: Callback, request_line: bytes, capfd: pytest.CaptureFixture[str]
):
    address = urlsplit(callback.url)
    with socket.create_connection((str(address.hostname), address.port), PATIENCE) as visitor:
        visitor.sendall(request_line + b"\r\n\r\n")
        visitor.shutdown(socket.SHUT_WR)
        while visitor.recv(4096):
            pass
    assert visited(callback, "?code=good")[0] == 200
    assert callback.wait(PATIENCE) == "good"
    assert capfd.readouterr().err == ""


def test_nobody_listens_afterwards_and_never_beyond_this_machine():
    with Callback() as callback:
        address = urlsplit(callback.url)
        assert address.hostname == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(address.hostname), address.port), PATIENCE)


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {}, False),
        ("darwin", {}, True),
        ("win32", {}, True),
        ("darwin", {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}, False),
        ("linux", {"DISPLAY": "localhost:10.0", "SSH_TTY": "/dev/pts/1"}, False),
        ("linux", {"SSH_TTY": "/dev/pts/1", "BROWSER": "code-remote-browser"}, True),
    ],
)
def test_a_browser_is_expected_only_where_the_user_would_see_it(platform: str, environ: dict[str, str], expected: bool):
    assert has_browser(environ, platform) is expected
