"""Every host we can install ourselves into: one row each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from or_mcp.places import home_directory

KEY = "OPENROUTER_API_KEY"
_MINUTES_15 = 900


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides where a host keeps its files."""

    environ: Mapping[str, str]
    platform: str = sys.platform

    @property
    def home(self) -> Path:
        """The user's directory."""
        return home_directory(self.environ)

    @property
    def applications(self) -> Path:
        """Where desktop applications keep their settings."""
        if self.platform == "win32":
            return Path(self.environ.get("APPDATA") or self.home / "AppData" / "Roaming")
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        return self.dot_config

    @property
    def dot_config(self) -> Path:
        """The directory that programs of the Unix tradition use on every Unix."""
        return Path(self.environ.get("XDG_CONFIG_HOME") or self.home / ".config")


@dataclass(frozen=True, slots=True)
class Host:
    """One host. `reference` is how its file names the key's variable; without one it cannot."""

    name: str
    title: str
    user_file: Callable[[Machine], Path]
    project_file: str | None
    servers: str
    reference: str | None
    then: str
    kind: str | None = None
    limits: Mapping[str, int] = field(default_factory=dict[str, int])
    inputs: tuple[Mapping[str, object], ...] = ()
    syntax: Literal["json", "toml"] = "json"
    # Servers get a handful of variables, and not the key's.
    isolated: bool = False


def _claude_code(machine: Machine) -> Path:
    return Path(machine.environ.get("CLAUDE_CONFIG_DIR") or machine.home) / ".claude.json"


def _claude_desktop(machine: Machine) -> Path:
    plain = machine.applications / "Claude" / "claude_desktop_config.json"
    if machine.platform != "win32" or plain.exists():
        return plain
    # Installed from the Microsoft Store, the program sees a directory of its own in place of %APPDATA%.
    local = Path(machine.environ.get("LOCALAPPDATA") or machine.home / "AppData" / "Local")
    stored = sorted((local / "Packages").glob("Claude_*/LocalCache/Roaming/Claude"))
    return stored[0] / plain.name if stored else plain


def _cursor(machine: Machine) -> Path:
    return machine.home / ".cursor" / "mcp.json"


def _vscode(machine: Machine) -> Path:
    stable, insiders = (machine.applications / name / "User" for name in ("Code", "Code - Insiders"))
    only_insiders = insiders.is_dir() and not stable.is_dir()
    return (insiders if only_insiders else stable) / "mcp.json"


def _codex(machine: Machine) -> Path:
    return Path(machine.environ.get("CODEX_HOME") or machine.home / ".codex") / "config.toml"


def _gemini(machine: Machine) -> Path:
    return Path(machine.environ.get("GEMINI_CLI_HOME") or machine.home) / ".gemini" / "settings.json"


def _windsurf(machine: Machine) -> Path:
    return machine.home / ".codeium" / "windsurf" / "mcp_config.json"


def _zed(machine: Machine) -> Path:
    windows = machine.platform == "win32"
    return (machine.applications / "Zed" if windows else machine.dot_config / "zed") / "settings.json"


HOSTS: tuple[Host, ...] = (
    Host(
        "claude-code",
        "Claude Code",
        _claude_code,
        ".mcp.json",
        "mcpServers",
        # An empty default: without the variable Claude Code would warn at every start, and pass the name on.
        "${OPENROUTER_API_KEY:-}",
        "new sessions have it; `claude mcp list` checks it",
        kind="stdio",
        limits={"timeout": _MINUTES_15 * 1000},
    ),
    Host(
        "claude-desktop",
        "Claude Desktop",
        _claude_desktop,
        None,
        "mcpServers",
        None,
        "quit and open Claude Desktop again",
        isolated=True,
    ),
    Host(
        "cursor",
        "Cursor",
        _cursor,
        ".cursor/mcp.json",
        "mcpServers",
        "${env:OPENROUTER_API_KEY}",
        "switch it on in Cursor's settings, under MCP",
    ),
    Host(
        "vscode",
        "VS Code",
        _vscode,
        ".vscode/mcp.json",
        "servers",
        "${input:openrouter-key}",
        "start it with `MCP: List Servers` in the command palette",
        kind="stdio",
        inputs=(
            {
                "type": "promptString",
                "id": "openrouter-key",
                "description": "OpenRouter API key (https://openrouter.ai/settings/keys)",
                "password": True,
            },
        ),
    ),
    Host(
        "codex",
        "Codex",
        _codex,
        ".codex/config.toml",
        "mcp_servers",
        KEY,
        "new sessions have it; `codex mcp list` shows it",
        limits={"startup_timeout_sec": 120, "tool_timeout_sec": _MINUTES_15},
        syntax="toml",
    ),
    Host(
        "gemini",
        "Gemini CLI",
        _gemini,
        ".gemini/settings.json",
        "mcpServers",
        "$OPENROUTER_API_KEY",
        "new sessions have it; `gemini mcp list` checks it",
        limits={"timeout": _MINUTES_15 * 1000},
    ),
    Host(
        "windsurf",
        "Windsurf",
        _windsurf,
        None,
        "mcpServers",
        "${env:OPENROUTER_API_KEY}",
        "press refresh in Cascade's list of MCP servers",
    ),
    Host(
        "zed",
        "Zed",
        _zed,
        ".zed/settings.json",
        "context_servers",
        None,
        "Zed starts it by itself",
    ),
)
