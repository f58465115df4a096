"""Where each host keeps its file, on each platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from or_mcp.hosts.host import Machine
from tests.hosts_files.conftest import host_named

WINDOWS = {"APPDATA": "/u/AppData/Roaming", "LOCALAPPDATA": "/u/AppData/Local"}
DESKTOP = "Claude/claude_desktop_config.json"


@pytest.mark.parametrize(
    ("host", "linux", "darwin", "win32"),
    [
        ("claude-code", ".claude.json", ".claude.json", ".claude.json"),
        (
            "claude-desktop",
            f".config/{DESKTOP}",
            f"Library/Application Support/{DESKTOP}",
            f"AppData/Roaming/{DESKTOP}",
        ),
        ("cursor", ".cursor/mcp.json", ".cursor/mcp.json", ".cursor/mcp.json"),
        (
            "vscode",
            ".config/Code/User/mcp.json",
            "Library/Application Support/Code/User/mcp.json",
            "AppData/Roaming/Code/User/mcp.json",
        ),
        ("codex", ".codex/config.toml", ".codex/config.toml", ".codex/config.toml"),
        ("gemini", ".gemini/settings.json", ".gemini/settings.json", ".gemini/settings.json"),
        ("windsurf", *[".codeium/windsurf/mcp_config.json"] * 3),
        ("zed", ".config/zed/settings.json", ".config/zed/settings.json", "AppData/Roaming/Zed/settings.json"),
        ("opencode", *[".config/opencode/opencode.json"] * 3),
        ("copilot", *[".copilot/mcp-config.json"] * 3),
        ("cline", *[".cline/data/settings/cline_mcp_settings.json"] * 3),
        ("qwen", *[".qwen/settings.json"] * 3),
    ],
)
def test_the_users_file_is_found_on_every_platform(host: str, linux: str, darwin: str, win32: str):
    for platform, expected in (("linux", linux), ("darwin", darwin), ("win32", win32)):
        environ = {"HOME": "/u"} | (WINDOWS if platform == "win32" else {})
        assert host_named(host).user_file(Machine(environ, platform)) == Path("/u") / expected


@pytest.mark.parametrize(
    ("host", "variable", "expected"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", "/x/.claude.json"),
        ("codex", "CODEX_HOME", "/x/config.toml"),
        ("gemini", "GEMINI_CLI_HOME", "/x/.gemini/settings.json"),
        ("zed", "XDG_CONFIG_HOME", "/x/zed/settings.json"),
        ("vscode", "XDG_CONFIG_HOME", "/x/Code/User/mcp.json"),
        ("opencode", "XDG_CONFIG_HOME", "/x/opencode/opencode.json"),
        ("copilot", "COPILOT_HOME", "/x/mcp-config.json"),
        ("cline", "CLINE_DATA_DIR", "/x/settings/cline_mcp_settings.json"),
        ("cline", "CLINE_MCP_SETTINGS_PATH", "/x"),
    ],
)
def test_a_hosts_own_variable_moves_its_file(host: str, variable: str, expected: str):
    assert host_named(host).user_file(Machine({"HOME": "/u", variable: "/x"}, "linux")) == Path(expected)


def test_claude_desktop_from_the_store_has_its_file_in_its_own_directory(tmp_path: Path):
    stored = tmp_path / "Local" / "Packages" / "Claude_abc" / "LocalCache" / "Roaming" / "Claude"
    stored.mkdir(parents=True)
    environ = {"HOME": str(tmp_path), "APPDATA": str(tmp_path / "Roaming"), "LOCALAPPDATA": str(tmp_path / "Local")}
    machine = Machine(environ, "win32")
    assert host_named("claude-desktop").user_file(machine) == stored / "claude_desktop_config.json"
    (tmp_path / "Roaming" / "Claude").mkdir(parents=True)
    (tmp_path / "Roaming" / DESKTOP).write_text("{}")
    assert host_named("claude-desktop").user_file(machine) == tmp_path / "Roaming" / DESKTOP


def test_opencodes_file_with_comments_is_taken_where_there_is_no_other(tmp_path: Path):
    folder = tmp_path / ".config" / "opencode"
    folder.mkdir(parents=True)
    machine = Machine({"HOME": str(tmp_path)}, "linux")
    (folder / "opencode.jsonc").write_text("{}")
    assert host_named("opencode").user_file(machine) == folder / "opencode.jsonc"
    (folder / "opencode.json").write_text("{}")
    assert host_named("opencode").user_file(machine) == folder / "opencode.json"


def test_where_only_the_insiders_edition_is_installed_it_is_the_one(tmp_path: Path):
    insiders = tmp_path / ".config" / "Code - Insiders" / "User"
    insiders.mkdir(parents=True)
    machine = Machine({"HOME": str(tmp_path)}, "linux")
    assert host_named("vscode").user_file(machine) == insiders / "mcp.json"
    (tmp_path / ".config" / "Code" / "User").mkdir(parents=True)
    assert host_named("vscode").user_file(machine) == tmp_path / ".config" / "Code" / "User" / "mcp.json"
