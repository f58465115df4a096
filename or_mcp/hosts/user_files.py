"""Where each host keeps the file that names its MCP servers."""

from __future__ import annotations

from pathlib import Path

from or_mcp.hosts.host import Machine


def claude_code(machine: Machine) -> Path:
    return Path(machine.environ.get("CLAUDE_CONFIG_DIR") or machine.home) / ".claude.json"


def claude_desktop(machine: Machine) -> Path:
    plain = machine.applications / "Claude" / "claude_desktop_config.json"
    if machine.platform != "win32" or plain.exists():
        return plain
    # Installed from the Microsoft Store, the program sees a directory of its own in place of %APPDATA%.
    local = Path(machine.environ.get("LOCALAPPDATA") or machine.home / "AppData" / "Local")
    stored = sorted((local / "Packages").glob("Claude_*/LocalCache/Roaming/Claude"))
    return stored[0] / plain.name if stored else plain


def cursor(machine: Machine) -> Path:
    return machine.home / ".cursor" / "mcp.json"


def vscode(machine: Machine) -> Path:
    stable, insiders = (machine.applications / name / "User" for name in ("Code", "Code - Insiders"))
    only_insiders = insiders.is_dir() and not stable.is_dir()
    return (insiders if only_insiders else stable) / "mcp.json"


def codex(machine: Machine) -> Path:
    return Path(machine.environ.get("CODEX_HOME") or machine.home / ".codex") / "config.toml"


def gemini(machine: Machine) -> Path:
    return Path(machine.environ.get("GEMINI_CLI_HOME") or machine.home) / ".gemini" / "settings.json"


def windsurf(machine: Machine) -> Path:
    return machine.home / ".codeium" / "windsurf" / "mcp_config.json"


def zed(machine: Machine) -> Path:
    windows = machine.platform == "win32"
    return (machine.applications / "Zed" if windows else machine.dot_config / "zed") / "settings.json"


def opencode(machine: Machine) -> Path:
    folder = machine.dot_config / "opencode"
    plain, commented = folder / "opencode.json", folder / "opencode.jsonc"
    return commented if commented.exists() and not plain.exists() else plain


def copilot(machine: Machine) -> Path:
    return Path(machine.environ.get("COPILOT_HOME") or machine.home / ".copilot") / "mcp-config.json"


def cline(machine: Machine) -> Path:
    given = machine.environ.get("CLINE_MCP_SETTINGS_PATH")
    folder = Path(machine.environ.get("CLINE_DATA_DIR") or machine.home / ".cline" / "data")
    return Path(given) if given else folder / "settings" / "cline_mcp_settings.json"


def qwen(machine: Machine) -> Path:
    return machine.home / ".qwen" / "settings.json"
