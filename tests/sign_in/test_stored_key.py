"""The key that signing in left: found by every start, sent to no other API, kept from others."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from or_mcp.places import credentials_file
from or_mcp.settings import Settings, read_settings
from or_mcp.sign_in.credentials import forget_key, store_key, stored_key
from tests.conftest import Connect, Upstream, text_of

API = "https://openrouter.ai/api/v1"
GATEWAY = "https://gateway.example/api/v1"


def settings(home: Path, **given: str) -> Settings:
    return read_settings({"HOME": str(home), **given})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return credentials_file({"HOME": str(tmp_path)})


@pytest.mark.parametrize("variable", [None, "", "  ", "${OPENROUTER_API_KEY}", "$OPENROUTER_API_KEY", "${input:key}"])
def test_the_stored_key_is_used_when_the_variable_holds_none(tmp_path: Path, file: Path, variable: str | None):
    store_key(file, API, "sk-or-v1-stored")
    given = {} if variable is None else {"OPENROUTER_API_KEY": variable}
    assert settings(tmp_path, **given).api_key == "sk-or-v1-stored"


def test_the_variable_wins_over_the_stored_key(tmp_path: Path, file: Path):
    store_key(file, API, "sk-or-v1-stored")
    assert settings(tmp_path, OPENROUTER_API_KEY="sk-or-v1-given").api_key == "sk-or-v1-given"


def test_a_key_is_used_for_no_other_api_than_its_own(tmp_path: Path, file: Path):
    store_key(file, API, "sk-or-v1-real")
    assert settings(tmp_path, OPENROUTER_BASE_URL=GATEWAY).api_key is None
    store_key(file, GATEWAY, "sk-or-v1-gateway")
    assert settings(tmp_path, OPENROUTER_BASE_URL=f"{GATEWAY}/").api_key == "sk-or-v1-gateway"
    assert settings(tmp_path).api_key == "sk-or-v1-real"


def test_the_key_is_found_whatever_the_data_directory_and_xdg_say(tmp_path: Path, file: Path):
    store_key(file, API, "sk-or-v1-stored")
    found = settings(tmp_path, OR_MCP_DATA_DIR=str(tmp_path / "elsewhere"), XDG_CONFIG_HOME=str(tmp_path / "xdg"))
    assert found.api_key == "sk-or-v1-stored"


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {"HOME": "/home/ann"}, "/home/ann/.config/or-mcp/credentials.json"),
        ("darwin", {"HOME": "/Users/ann"}, "/Users/ann/Library/Application Support/or-mcp/credentials.json"),
        ("win32", {"USERPROFILE": "/ann", "LOCALAPPDATA": "/ann/Local"}, "/ann/Local/or-mcp/credentials.json"),
    ],
)
def test_keys_are_kept_where_the_platform_keeps_such(platform: str, environ: dict[str, str], expected: str):
    assert credentials_file(environ, platform) == Path(expected)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_only_the_owner_can_read_it_even_where_the_directory_was_open(tmp_path: Path, file: Path):
    file.parent.mkdir(parents=True, mode=0o755)
    store_key(file, API, "sk-or-v1-stored")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_a_file_that_others_could_read_is_closed_to_them_and_told_of(file: Path, caplog: pytest.LogCaptureFixture):
    store_key(file, API, "sk-or-v1-stored")
    file.chmod(0o644)
    assert stored_key(file, API) == "sk-or-v1-stored"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"Others on this machine could read {file}" in caplog.text


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"keys": []}', b"\xff\xfe", b'{"keys": {}', b"[" * 100_000]
)
def test_a_file_that_cannot_be_read_is_told_of_and_written_again(
    tmp_path: Path, file: Path, content: bytes, caplog: pytest.LogCaptureFixture
):
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    file.chmod(0o600)
    assert settings(tmp_path).api_key is None
    assert f"{file} is not used: it does not hold what it should. `or-mcp login` writes it again." in caplog.text
    store_key(file, API, "sk-or-v1-new")
    assert settings(tmp_path).api_key == "sk-or-v1-new"


@pytest.mark.parametrize("key", ["", 7, None, "sk or", "sk-or-ключ", "${KEY}"])
def test_what_is_no_key_is_not_used(tmp_path: Path, file: Path, key: object):
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"keys": {API: key}}), encoding="utf-8")
    file.chmod(0o600)
    assert settings(tmp_path).api_key is None


def test_forgetting_one_key_leaves_the_others(file: Path):
    store_key(file, API, "sk-or-v1-real")
    store_key(file, GATEWAY, "sk-or-v1-gateway")
    assert forget_key(file, API)
    assert not forget_key(file, API)
    assert (stored_key(file, API), stored_key(file, GATEWAY)) == (None, "sk-or-v1-gateway")


async def test_a_server_without_the_variable_pays_with_the_stored_key(
    upstream: Upstream, connect: Connect, tmp_path: Path
):
    store_key(credentials_file({"HOME": str(tmp_path)}), upstream.base_url, "sk-or-v1-stored")
    async with connect(OPENROUTER_API_KEY="${OPENROUTER_API_KEY}") as client:
        result = await client.call_tool("ask", {"prompt": "Hello"})
    assert not result.is_error, text_of(result)
