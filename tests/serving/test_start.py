"""Starting the program: what it refuses, and what it does not need."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from or_mcp import __version__
from or_mcp.places import state_directory
from or_mcp.settings import VARIABLES, SettingsError, read_settings
from tests.serving.programs import environment, ran

WRONG = {
    "OPENROUTER_API_KEY": "sk-or-ключ",
    "OPENROUTER_BASE_URL": "openrouter.ai",
    "OR_MCP_DATA_DIR": "~nobody-here/data",
    "OR_MCP_MAX_PRICE": "3",
    "OR_MCP_STRUCTURED": "both",
    "OR_MCP_STORE": "perhaps",
    "OR_MCP_RETENTION_DAYS": "99999999999",
    "OR_MCP_MAX_COST_PER_CALL_USD": "cheap",
    "OR_MCP_DAILY_BUDGET_USD": "-1",
    "OR_MCP_CALLER_DAILY_BUDGET_USD": "-1",
    "OR_MCP_DRAIN_SECONDS": "soon",
    "OR_MCP_DATABASE_URL": "mysql://a/b",
    "OR_MCP_RESIDENT": "perhaps",
    "OR_MCP_WAIT_SECONDS": "long",
    "OR_MCP_RUN_DEADLINE_SECONDS": "0",
    "OR_MCP_ALLOWED_DIRS": "~nobody-here/files",
    "OR_MCP_TOOLS": "fuse,fly",
    "OR_MCP_SERVERS": "/nowhere/servers.json",
    "OR_MCP_SERVERS_FOR_CALLERS": "perhaps",
    "OR_MCP_ZDR": "maybe",
    "OR_MCP_DATA_COLLECTION": "sometimes",
    "OR_MCP_LOG_LEVEL": "LOUD",
    "OR_MCP_HTTP_AUTH": "open",
    "OR_MCP_HTTP_REQUESTS_PER_MINUTE": "many",
}
ANYTHING = {
    "OR_MCP_MODELS",
    "OR_MCP_PROVIDERS_ONLY",
    "OR_MCP_PROVIDERS_IGNORE",
    "OR_MCP_DEFAULT_MODEL",
    "OR_MCP_HTTP_TOKENS",
    "OR_MCP_HTTP_ALLOWED_HOSTS",
    "OR_MCP_HTTP_ALLOWED_ORIGINS",
}


def test_every_variable_that_can_be_wrong_is_tried():
    assert {row.name for row in VARIABLES} == WRONG.keys() | ANYTHING


@pytest.mark.parametrize("variable", WRONG)
def test_a_wrong_value_is_refused_with_name_value_and_what_is_accepted(variable: str):
    row = next(row for row in VARIABLES if row.name == variable)
    with pytest.raises(SettingsError) as caught:
        read_settings({variable: WRONG[variable]})
    shown = "(hidden)" if row.secret else WRONG[variable]
    # Of a file it is also told what is wrong in it.
    told = str(caught.value).removesuffix(" (/nowhere/servers.json cannot be read (No such file or directory))")
    assert told == f"{variable} holds {shown!r}, but accepts {row.accepts}"


@pytest.mark.parametrize(
    "url", ["https://", "http://host:port/v1", "ftp://host/v1", "https://a b/v1", "https://?x", "http://[::1/v1"]
)
def test_an_address_that_leads_nowhere_is_refused(url: str):
    with pytest.raises(SettingsError):
        read_settings({"OPENROUTER_BASE_URL": url})


@pytest.mark.parametrize("url", ["http://[::1]:8787/api/v1", "https://eu.openrouter.ai/api/v1/", "http://localhost"])
def test_any_real_address_is_taken(url: str):
    assert read_settings({"OPENROUTER_BASE_URL": url}).base_url == url.rstrip("/")


@pytest.mark.parametrize(
    ("platform", "environ", "directory"),
    [
        ("linux", {"HOME": "/home/ann"}, "/home/ann/.local/state/or-mcp"),
        ("linux", {"HOME": "/home/ann", "XDG_STATE_HOME": "/state"}, "/state/or-mcp"),
        ("darwin", {"HOME": "/Users/ann"}, "/Users/ann/Library/Application Support/or-mcp"),
        ("win32", {"USERPROFILE": "/ann", "LOCALAPPDATA": "/ann/Local"}, "/ann/Local/or-mcp"),
        ("win32", {"USERPROFILE": "/ann"}, "/ann/AppData/Local/or-mcp"),
    ],
)
def test_state_is_kept_where_the_platform_keeps_it(platform: str, environ: dict[str, str], directory: str):
    assert Path(state_directory(environ, platform)) == Path(directory)


@pytest.mark.parametrize(
    ("variable", "command"), [("OR_MCP_TOOLS", []), ("OPENROUTER_API_KEY", ["serve", "--http", "--port", "0"])]
)
def test_a_wrong_value_stops_the_start_with_one_line(tmp_path: Path, variable: str, command: list[str]):
    ended = ran(*command, env=environment("http://127.0.0.1:9", tmp_path, **{variable: WRONG[variable]}))
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"or-mcp: {variable} holds ")
    assert ("ключ" in line) is False


def test_a_bind_to_the_network_without_authentication_is_refused_with_one_line(tmp_path: Path):
    ended = ran("serve", "--http", "--host", "0.0.0.0", env=environment("http://127.0.0.1:9", tmp_path))
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("or-mcp: OR_MCP_HTTP_AUTH holds 'none', but accepts token or passthrough")


def test_token_authentication_without_a_token_is_refused(tmp_path: Path):
    ended = ran("serve", "--http", env=environment("http://127.0.0.1:9", tmp_path, OR_MCP_HTTP_AUTH="token"))
    assert ended.returncode == 2
    assert ended.stderr.startswith("or-mcp: OR_MCP_HTTP_TOKENS holds ''")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["fly"], ["--fly"], ["serve", "--port", "x"], ["serve", "--port", "70000"]])
def test_wrong_usage_is_2(tmp_path: Path, arguments: list[str]):
    ended = ran(*arguments, env=environment("http://127.0.0.1:9", tmp_path))
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(tmp_path: Path, flag: str):
    program = (
        "import sys, json\n"
        "from or_mcp.cli import main\n"
        "try:\n    main([sys.argv[1]])\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    ended = ran(flag, env=environment("http://127.0.0.1:9", tmp_path), python=("-c", program))
    assert ended.returncode == 0, ended.stderr
    heavy = {"mcp", "mcp_types", "pydantic", "httpx2", "anyio", "numpy", "starlette", "uvicorn", "jsonschema"}
    assert not heavy & set(json.loads(ended.stderr.splitlines()[-1]))
    assert ended.stdout.strip() == f"or-mcp {__version__}" if flag == "--version" else "serve" in ended.stdout
