"""What our entry says: how we are started, with which settings, and where the key comes from."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from or_mcp.hosts.entry import is_ours
from or_mcp.hosts.table import HOSTS
from tests.hosts_files.conftest import Home, host_named, variables, words

KEY = "sk-or-v1-0123456789abcdef"
WITH_PROJECT = [host.name for host in HOSTS if host.project_file]
every_host = pytest.mark.parametrize("host", [host.name for host in HOSTS])


@every_host
def test_no_key_is_ever_written_or_shown(home: Home, monkeypatch: pytest.MonkeyPatch, host: str):
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("OR_MCP_HTTP_TOKENS", "a-token")
    for arguments in ([host, "--print"], [host], [host], [host, "--undo"]):
        told = home.install(*arguments)
        assert told.code == 0
        assert KEY not in told.out + told.err
        if home.file(host).exists():
            assert KEY not in home.file(host).read_text()
            assert "a-token" not in home.file(host).read_text()


def test_the_secrets_of_other_servers_are_never_shown(home: Home):
    neighbour = '"a": {"env": {"TOKEN": "neighbours-secret"}, "command": "a"}'
    home.place("cursor", f'{{"mcpServers": {{{neighbour}}}}}'.encode())
    home.place("codex", b'[mcp_servers.a]\ncommand = "a"\nenv = { TOKEN = "neighbours-secret" }\n')
    for host in ("cursor", "codex"):
        shown = [home.install(host, *more) for more in (["--print"], [], ["--undo", "--print"], ["--undo"])]
        assert all(told.code == 0 for told in shown)
        assert "neighbours-secret" not in "".join(told.out + told.err for told in shown)


@pytest.mark.parametrize("host", WITH_PROJECT)
def test_a_projects_file_holds_nothing_of_this_person_or_machine(
    home: Home, monkeypatch: pytest.MonkeyPatch, host: str
):
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("OR_MCP_DATA_DIR", str(home.path / "mine"))
    monkeypatch.setenv("PATH", "")
    told = home.install(host, "--project")
    assert told.code == 0
    file = home.project / str(host_named(host).project_file)
    assert str(home.path) not in file.read_text()
    assert sys.prefix not in file.read_text()
    assert KEY not in file.read_text()
    assert words(home.entry(host, file)) == ["uvx", "or-mcp"]
    assert "uvx is not on this machine's PATH" in told.out
    assert not home.file(host).exists()
    assert home.install(host, "--project", "--undo").code == 0
    assert not file.exists()


@pytest.mark.parametrize("host", sorted({host.name for host in HOSTS} - set(WITH_PROJECT)))
def test_a_host_without_files_of_projects_says_so(home: Home, host: str):
    told = home.install(host, "--project")
    assert told.code == 2
    assert f"or-mcp install {host}" in told.err


@every_host
def test_a_file_of_our_making_that_was_brought_up_to_date_is_still_ours_to_delete(
    home: Home, monkeypatch: pytest.MonkeyPatch, host: str
):
    home.install(host)
    monkeypatch.setenv("OR_MCP_DAILY_BUDGET_USD", "10")
    assert "brought up to date" in home.install(host).out
    assert home.install(host, "--undo").code == 0
    assert home.left_behind() == []


@every_host
def test_settings_of_this_terminal_are_passed_on_and_a_second_terminal_does_not_lose_them(
    home: Home, monkeypatch: pytest.MonkeyPatch, host: str
):
    monkeypatch.setenv("OR_MCP_DAILY_BUDGET_USD", "10")
    monkeypatch.setenv("OPENROUTER_BASE_URL", "https://eu.openrouter.ai/api/v1")
    told = home.install(host)
    assert "passes: OPENROUTER_BASE_URL, OR_MCP_DAILY_BUDGET_USD" in told.out
    assert variables(home.entry(host))["OR_MCP_DAILY_BUDGET_USD"] == "10"
    monkeypatch.delenv("OR_MCP_DAILY_BUDGET_USD")
    monkeypatch.setenv("OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1")
    home.install(host)
    env = variables(home.entry(host))
    assert env["OR_MCP_DAILY_BUDGET_USD"] == "10"
    assert env["OPENROUTER_BASE_URL"] == "https://openrouter.ai/api/v1"


@pytest.mark.parametrize(
    "written",
    [
        '[mcp_servers.openrouter]\ncommand = "or-mcp"\n\n[mcp_servers.openrouter.tools.fuse]\nx = 1\n',
        '[mcp_servers.openrouter]\ncommand = "or-mcp"\n[mcp_servers.openrouter.env]\nA = "b"\n[tui]\n',
        '["mcp_servers" . \'openrouter\'] # mine\ncommand = "or-mcp"\n\n# of the next\n[tui]\n',
        '[mcp_servers.openrouter]\ncommand = "or-mcp"\nnote = """\n[tui]\n# x"""\n\t# after\n\n[a]\nb = 1\n',
        '[mcp_servers.openrouter.env]\nA = "b"\n\n[a]\nb = [\n[1]\n]\n\n[mcp_servers.openrouter]\ncommand = "or-mcp"\n',
        '[mcp_servers.openrouter.env]\nA = "b"\n[mcp_servers.openrouter]\ncommand = "or-mcp"',
    ],
)
def test_settings_reach_an_entry_in_toml_however_its_blocks_are_written(
    home: Home, monkeypatch: pytest.MonkeyPatch, written: str
):
    monkeypatch.setenv("OR_MCP_DAILY_BUDGET_USD", "10")
    file = home.place("codex", written.encode())
    told = home.install("codex")
    assert told.code == 0, told.err
    assert home.entry("codex")["env"]["OR_MCP_DAILY_BUDGET_USD"] == "10"
    assert home.entry("codex")["command"] == "uvx"
    assert home.install("codex", "--undo").code == 0
    assert file.read_text() == written
    others = {name: value for name, value in tomllib.loads(written).items() if name != "mcp_servers"}
    comments = [line for line in written.splitlines() if line.strip() in ("# after", "# of the next")]
    assert home.install("codex", "--undo").code == 0
    left = tomllib.loads(file.read_text())
    assert "openrouter" not in left.pop("mcp_servers", {})
    assert left == others
    assert '"""' not in file.read_text()
    assert [line for line in file.read_text().splitlines() if line in comments] == comments


def test_a_setting_that_is_wrong_stops_before_anything_is_written(home: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OR_MCP_DAILY_BUDGET_USD", "plenty")
    told = home.install("cursor")
    assert told.code == 2
    assert "OR_MCP_DAILY_BUDGET_USD" in told.err
    assert home.left_behind() == []


@every_host
def test_without_uvx_the_entry_starts_this_very_installation(home: Home, monkeypatch: pytest.MonkeyPatch, host: str):
    monkeypatch.setenv("PATH", "")
    told = home.install(host)
    entry = home.entry(host)
    assert "uvx is not on the PATH" in told.out
    assert is_ours(entry)
    assert Path(words(entry)[0]).is_absolute()
    version = subprocess.run([*words(entry), "--version"], capture_output=True, check=True, text=True)
    assert version.stdout.startswith("or-mcp ")


def broken_uvx(home: Home) -> None:
    uvx = home.path.parent / "tools" / "uvx"
    uvx.write_text("#!/bin/sh\necho 'No solution found: or-mcp was not found in the package registry' >&2\nexit 1\n")


@pytest.mark.parametrize("host", ["claude-code", "codex", "opencode"])
def test_where_uvx_does_not_start_it_the_entry_starts_this_very_installation_and_says_why(home: Home, host: str):
    broken_uvx(home)
    told = home.install(host)
    assert told.code == 0
    entry = home.entry(host)
    assert is_ours(entry)
    assert Path(words(entry)[0]).is_absolute()
    assert "`uvx or-mcp` does not start here: No solution found" in told.out
    assert home.install(host, "--undo").code == 0
    assert home.left_behind() == []


def test_a_projects_file_keeps_uvx_where_it_does_not_start_and_says_so(home: Home):
    broken_uvx(home)
    told = home.install("cursor", "--project")
    assert words(home.entry("cursor", home.project / ".cursor/mcp.json")) == ["uvx", "or-mcp"]
    assert "`uvx or-mcp` does not start here: No solution found" in told.out


def test_what_a_person_added_to_our_entry_stays(home: Home):
    home.place(
        "claude-desktop",
        b'{"mcpServers": {"openrouter": {"command": "/old/venv/bin/or-mcp", "args": ["serve"],'
        b' "env": {"OPENROUTER_API_KEY": "sk-or-v1-mine", "OR_MCP_TOOLS": "fuse"}, "disabled": true}}}',
    )
    told = home.install("claude-desktop")
    assert "brought up to date" in told.out
    assert "sk-or-v1-mine" not in told.out
    assert home.entry("claude-desktop") == {
        "command": "uvx",
        "args": ["or-mcp"],
        "env": {"OPENROUTER_API_KEY": "sk-or-v1-mine", "OR_MCP_TOOLS": "fuse"},
        "disabled": True,
    }


@pytest.mark.parametrize(
    ("found", "ours"),
    [
        ({"command": "uvx", "args": ["or-mcp"]}, True),
        ({"command": "uvx", "args": ["or-mcp@0.1.0"]}, True),
        ({"command": "uvx", "args": ["--python", "3.12", "or-mcp==0.1.0"]}, True),
        ({"command": "C:\\Users\\me\\Scripts\\or-mcp.exe", "args": []}, True),
        ({"command": "/usr/bin/python3", "args": ["-m", "or_mcp"]}, True),
        ({"command": {"path": "uvx", "args": ["or-mcp"], "env": None}}, True),
        ({"type": "local", "command": ["uvx", "or-mcp"]}, True),
        ({"type": "local", "command": ["npx", "-y", "or-mcp-server"]}, False),
        ({"command": "npx", "args": ["-y", "or-mcp-server"]}, False),
        ({"command": "uvx", "args": ["openrouter-mcp"]}, False),
        ({"url": "https://example.com/mcp"}, False),
        ({"command": None, "args": "or-mcp"}, False),
        ("or-mcp", False),
    ],
)
def test_our_entry_is_known_however_it_is_written(found: Any, ours: bool):
    assert is_ours(found) is ours


@every_host
def test_the_line_about_the_key_says_what_is_left_to_do(
    home: Home, monkeypatch: pytest.MonkeyPatch, store_a_key: Callable[[str], None], host: str
):
    asks = "VS Code asks for it once"
    assert (asks if host == "vscode" else "run `or-mcp login`") in home.install(host).out
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    assert (asks if host == "vscode" else "OPENROUTER_API_KEY") in home.install(host).out
    monkeypatch.delenv("OPENROUTER_API_KEY")
    store_a_key(KEY)
    assert (asks if host == "vscode" else "the one that `or-mcp login` stored") in home.install(host).out


@pytest.mark.parametrize(
    ("given", "meant"), [("cursr", "cursor"), ("claude", "claude-"), ("Codex-CLI", "codex"), ("", "")]
)
def test_without_a_known_host_all_are_listed(home: Home, given: str, meant: str):
    told = home.install(*([given] if given else []))
    assert told.code == 2
    assert all(host.name in told.err and str(home.file(host.name)) in told.err for host in HOSTS)
    assert (f"did you mean {meant}" in told.err) is bool(meant)


def test_installing_imports_nothing_heavy():
    code = (
        "import sys; from or_mcp.cli import main; main(['install', 'cursor', '--print']);"
        "heavy = {'mcp', 'pydantic', 'httpx2', 'anyio', 'numpy', 'starlette', 'asyncio'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
