"""`or-mcp login` as a person uses it: the real program, a real browser's requests, the simulated OpenRouter."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from openrouter import operations

from or_mcp.cli.login import fetch_key
from or_mcp.places import credentials_file
from or_mcp.settings import read_settings
from or_mcp.sign_in.credentials import store_key, stored_key
from or_mcp.sign_in.request import SignIn, challenge_of, sign_in_page
from tests.conftest import Upstream
from tests.serving.programs import environment, ran, started
from tests.sign_in import browser

BROWSER = f"{sys.executable} {browser.__file__}"


@pytest.fixture
def openrouter() -> Generator[Upstream]:
    """A simulated OpenRouter that answers while a test waits for a process."""
    simulator = Upstream()
    with simulator.serve_in_thread() as base_url:
        simulator.base_url = base_url
        yield simulator


@pytest.fixture
def env(openrouter: Upstream, tmp_path: Path) -> dict[str, str]:
    return environment(openrouter.base_url, tmp_path, OPENROUTER_API_KEY="")


@pytest.fixture
def file(env: dict[str, str]) -> Path:
    return credentials_file(env)


def test_a_key_allowed_in_the_browser_is_kept_and_never_shown(openrouter: Upstream, env: dict[str, str], file: Path):
    done = ran("login", env=env | {"BROWSER": f"{BROWSER} allow %s"})
    assert (done.returncode, done.stderr) == (0, "")
    key = stored_key(file, openrouter.base_url)
    assert key is not None
    assert read_settings(env).api_key == key
    assert key not in done.stdout
    assert "OPENROUTER_API_KEY" not in done.stdout
    assert re.search(r"Signed in with key sk-or-v1-\w{3}\.\.\.\w{3}, which has no limit of its own\.", done.stdout)
    assert str(file) in done.stdout
    (exchange,) = openrouter.posts("/auth/keys")
    assert exchange.key_fingerprint is None
    official = operations.ExchangeAuthCodeForAPIKeyRequestBody.model_validate(exchange.body)
    assert official.model_dump() == exchange.body
    assert f"code_challenge={challenge_of(exchange.body['code_verifier'])}&" in done.stdout
    assert exchange.body["code_verifier"] not in done.stdout
    assert exchange.body["code"] not in done.stdout


def test_a_variable_that_wins_over_the_stored_key_is_told_of(openrouter: Upstream, env: dict[str, str], file: Path):
    store_key(file, openrouter.base_url, "sk-or-v1-before")
    done = ran("login", env=env | {"BROWSER": f"{BROWSER} allow %s", "OPENROUTER_API_KEY": "sk-or-v1-given"})
    assert "OPENROUTER_API_KEY is set here: where it is set, it is used instead." in done.stdout
    assert "The key that was there before stays valid" in done.stdout
    assert "sk-or-v1-given" not in done.stdout + done.stderr


def test_without_a_browser_a_code_is_pasted(openrouter: Upstream, env: dict[str, str], file: Path):
    openrouter.reset(limit="10")
    with started("login", "--no-browser", env=env | {"DISPLAY": ":0"}) as talk:
        lines = [talk.line().decode() for _ in range(5)]
        url = lines[2].strip()
        assert "callback_url" not in url
        code = re.search(r"<pre>(.+)</pre>", browser.press("allow", url))
        assert code is not None
        talk.send(f"  {code[1]} ".encode())
        assert b"limited to $10.00; $10.00 is left" in talk.line()
        assert talk.ends_within(30) == 0
    assert stored_key(file, openrouter.base_url) is not None


def test_a_denial_ends_it_and_leaves_nothing(openrouter: Upstream, env: dict[str, str], file: Path):
    done = ran("login", env=env | {"BROWSER": f"{BROWSER} deny %s"})
    assert done.returncode == 1
    assert done.stderr == "or-mcp: not signed in: it was not allowed in the browser. Run `or-mcp login` again\n"
    assert not openrouter.posts("/auth/keys")
    assert not file.exists()


@pytest.mark.parametrize(
    ("typed", "told"),
    [("", "no code was given"), ("wrong\n", 'did not accept the code: "Invalid code or code_verifier"')],
)
def test_a_wrong_code_is_told_and_leaves_the_key_before(
    openrouter: Upstream, env: dict[str, str], file: Path, typed: str, told: str
):
    store_key(file, openrouter.base_url, "sk-or-v1-before")
    done = ran("login", "--no-browser", env=env, stdin=typed)
    assert done.returncode == 1
    assert told in done.stderr
    assert stored_key(file, openrouter.base_url) == "sk-or-v1-before"


def test_where_nothing_can_be_kept_nothing_is_asked_for(openrouter: Upstream, env: dict[str, str], file: Path):
    file.parent.parent.mkdir(parents=True)
    file.parent.touch()
    done = ran("login", env=env | {"BROWSER": f"{BROWSER} allow %s"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"or-mcp: {file} cannot be written: File exists\n"


def test_a_key_can_be_forgotten(openrouter: Upstream, env: dict[str, str], file: Path):
    store_key(file, openrouter.base_url, "sk-or-v1-mine")
    first, second = ran("login", "--forget", env=env), ran("login", "--forget", env=env)
    assert (first.returncode, second.returncode) == (0, 1)
    assert "stays valid until you delete it at https://openrouter.ai/settings/keys" in first.stdout
    assert stored_key(file, openrouter.base_url) is None


async def fetched(openrouter: Upstream, file: Path) -> str:
    """What is told of fetching the key for a good code."""
    attempt = SignIn(sign_in_page(openrouter.base_url))
    code = re.search(r"<pre>(.+)</pre>", browser.press("allow", attempt.url("test")))
    assert code is not None
    return await fetch_key(attempt, code[1], file, openrouter.base_url)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            {"status": 403, "message": "Authorization code expired"},
            'did not accept the code: "Authorization code expired"',
        ),
        ({"status": 500}, "not signed in: OpenRouter or the provider failed (HTTP 500)"),
        ({"body": {"user_id": "user_1"}}, "not signed in: OpenRouter's reply to /auth/keys could not be read"),
        ({"body": {"key": ""}}, "not signed in: OpenRouter's reply to /auth/keys could not be read"),
        ({"html": True, "status": 524}, "not signed in: OpenRouter or the provider failed (HTTP 524"),
    ],
)
async def test_an_exchange_that_fails_leaves_nothing(
    openrouter: Upstream, file: Path, fault: dict[str, object], told: str
):
    openrouter.script({"path": "/auth/keys", **fault})
    assert told in await fetched(openrouter, file)
    assert not file.exists()


async def test_a_key_that_is_not_accepted_is_not_kept(openrouter: Upstream, file: Path):
    openrouter.script({"path": "/key", "status": 401})
    assert "does not accept it" in await fetched(openrouter, file)
    assert stored_key(file, openrouter.base_url) is None


async def test_a_key_that_cannot_be_asked_about_is_kept(
    openrouter: Upstream, file: Path, capsys: pytest.CaptureFixture[str]
):
    openrouter.script({"path": "/key", "status": 400})
    assert await fetched(openrouter, file) == ""
    assert "What the key may spend is not known yet" in capsys.readouterr().out
    assert stored_key(file, openrouter.base_url) is not None


@pytest.mark.parametrize(
    ("base_url", "page"),
    [
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/auth"),
        ("https://eu.openrouter.ai/api/v1", "https://openrouter.ai/auth"),
        ("https://gateway.example/router/api/v1", "https://gateway.example/router/auth"),
        ("http://127.0.0.1:8787/api/v1", "http://127.0.0.1:8787/auth"),
    ],
)
def test_the_sign_in_page_belongs_to_the_api(base_url: str, page: str):
    assert sign_in_page(base_url) == page


@pytest.mark.parametrize("base_url", ["https://gateway.example/v1", "http://gateway.example/api/v1"])
def test_an_api_without_a_sign_in_page_is_told_of(env: dict[str, str], base_url: str):
    done = ran("login", env=env | {"OPENROUTER_BASE_URL": base_url})
    assert done.returncode == 1
    assert done.stderr.startswith(f"or-mcp: cannot sign in to {base_url}: ")
    assert "Set OPENROUTER_API_KEY instead" in done.stderr


def test_the_challenge_is_the_one_of_the_standard():
    # RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
