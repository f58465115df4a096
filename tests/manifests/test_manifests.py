"""Every manifest starts the program that pyproject.toml describes, with variables that exist."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from or_mcp import __version__
from or_mcp.settings import VARIABLES

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
KNOWN = {variable.name for variable in VARIABLES}


def load(name: str) -> dict[str, Any]:
    return json.loads((MANIFESTS / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("claude-code/.mcp.json", "mcpServers"),
        ("cursor/mcp.json", "mcpServers"),
        ("claude-desktop/claude_desktop_config.json", "mcpServers"),
        ("vscode/mcp.json", "servers"),
    ],
)
def test_a_host_starts_the_command_that_is_installed(name: str, key: str):
    server = load(name)[key]["openrouter"]
    assert (server["command"], server["args"]) == ("uvx", [PROJECT["name"]])
    assert PROJECT["name"] in PROJECT["scripts"]
    assert "OPENROUTER_API_KEY" in server["env"]
    assert set(server["env"]) <= KNOWN


def test_vs_code_asks_for_the_key_it_passes_on():
    config = load("vscode/mcp.json")
    (asked,) = config["inputs"]
    assert asked["password"] is True
    assert config["servers"]["openrouter"]["env"]["OPENROUTER_API_KEY"] == f"${{input:{asked['id']}}}"


def test_the_registry_entry_is_this_package_at_this_version():
    entry = load("server.json")
    (package,) = entry["packages"]
    assert entry["version"] == package["version"] == __version__
    assert (package["registryType"], package["identifier"]) == ("pypi", PROJECT["name"])
    assert package["transport"] == {"type": "stdio"}
    assert len(entry["description"]) <= 100
    assert {variable["name"] for variable in package["environmentVariables"]} <= KNOWN
    assert f"mcp-name: {entry['name']}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_plugin_is_at_this_version():
    assert load("claude-code/.claude-plugin/plugin.json")["version"] == __version__


def test_no_manifest_holds_a_key():
    for path in MANIFESTS.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert "sk-or-v1-" not in text.replace("sk-or-v1-YOUR-KEY", "")
