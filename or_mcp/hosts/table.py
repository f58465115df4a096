"""Every program of which something is known that matters when it speaks to us: one row each."""

from __future__ import annotations

from or_mcp.hosts import user_files
from or_mcp.hosts.host import Client, Host, Patience

KEY = "OPENROUTER_API_KEY"
# As long as the longest run may take: a host that gives up earlier asks for the rest with `run`.
_MINUTES_15 = 900

HOSTS: tuple[Host, ...] = (
    Host(
        name="claude-code",
        title="Claude Code",
        calls_itself=("claude-code",),
        patience=Patience(900, "its tool timeout is 27.8 h by default, and progress resets its idle timer"),
        user_file=user_files.claude_code,
        project_file=".mcp.json",
        # An empty default: without the variable Claude Code would warn at every start, and pass the name on.
        reference="${OPENROUTER_API_KEY:-}",
        then="new sessions have it; `claude mcp list` checks it",
        kind="stdio",
        more={"timeout": _MINUTES_15 * 1000},
    ),
    Host(
        name="claude-desktop",
        title="Claude Desktop",
        calls_itself=("claude",),
        patience=Patience(230, "cuts at 4 minutes, whatever progress says"),
        user_file=user_files.claude_desktop,
        then="quit and open Claude Desktop again",
        isolated=True,
    ),
    Host(
        name="cursor",
        title="Cursor",
        calls_itself=("cursor",),
        patience=Patience(50, "reports of about 60 s"),
        user_file=user_files.cursor,
        project_file=".cursor/mcp.json",
        reference="${env:OPENROUTER_API_KEY}",
        then="switch it on in Cursor's settings, under MCP",
    ),
    Host(
        name="vscode",
        title="VS Code",
        calls_itself=("visual studio code", "vscode"),
        patience=Patience(900, "no limit found"),
        user_file=user_files.vscode,
        project_file=".vscode/mcp.json",
        servers="servers",
        reference="${input:openrouter-key}",
        then="start it with `MCP: List Servers` in the command palette",
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
        name="codex",
        title="Codex",
        calls_itself=("codex",),
        patience=Patience(290, "cuts at 300 s, whatever progress says"),
        user_file=user_files.codex,
        project_file=".codex/config.toml",
        servers="mcp_servers",
        reference=KEY,
        then="new sessions have it; `codex mcp list` shows it",
        more={"startup_timeout_sec": 120, "tool_timeout_sec": _MINUTES_15},
        syntax="toml",
    ),
    Host(
        name="gemini",
        title="Gemini CLI",
        calls_itself=("gemini-cli",),
        patience=Patience(590, "its timeout is 10 minutes"),
        user_file=user_files.gemini,
        project_file=".gemini/settings.json",
        reference="$OPENROUTER_API_KEY",
        then="new sessions have it; `gemini mcp list` checks it",
        more={"timeout": _MINUTES_15 * 1000},
    ),
    Host(
        name="windsurf",
        title="Windsurf",
        user_file=user_files.windsurf,
        reference="${env:OPENROUTER_API_KEY}",
        then="press refresh in Cascade's list of MCP servers",
    ),
    Host(
        name="zed",
        title="Zed",
        user_file=user_files.zed,
        project_file=".zed/settings.json",
        servers="context_servers",
        then="Zed starts it by itself",
    ),
    Host(
        name="opencode",
        title="opencode",
        calls_itself=("opencode",),
        user_file=user_files.opencode,
        project_file="opencode.json",
        servers="mcp",
        reference="{env:OPENROUTER_API_KEY}",
        then="new sessions have it; `opencode mcp list` checks it",
        kind="local",
        # Without it, requests end after 5 s.
        more={"timeout": _MINUTES_15 * 1000},
        in_one_list=True,
    ),
    Host(
        name="copilot",
        title="Copilot CLI",
        calls_itself=("github-copilot-developer", "copilot-cli"),
        shows_both="version 1.0.102 puts the structured form behind the text",
        user_file=user_files.copilot,
        project_file=".github/mcp.json",
        reference="${OPENROUTER_API_KEY}",
        then="new sessions have it; `copilot mcp list` shows it",
        kind="local",
        more={"tools": ["*"], "timeout": _MINUTES_15 * 1000},
    ),
    Host(
        name="cline",
        title="Cline",
        calls_itself=("@cline/", "cline"),
        patience=Patience(60, "60 s unless its file says otherwise"),
        shows_both="version 3.0.65 hands the whole result over as JSON",
        user_file=user_files.cline,
        # It repeats references as they are, and passes all of its own variables on.
        then="new sessions have it",
        more={"timeout": _MINUTES_15},
    ),
    Host(
        name="qwen",
        title="Qwen Code",
        calls_itself=("qwen-code", "qwen-cli"),
        patience=Patience(590, "its timeout is 10 minutes"),
        user_file=user_files.qwen,
        project_file=".qwen/settings.json",
        reference="$OPENROUTER_API_KEY",
        then="new sessions have it; `qwen mcp list` checks it",
        more={"timeout": _MINUTES_15 * 1000},
    ),
)

CLIENTS: tuple[Client, ...] = (
    *HOSTS,
    Client(
        title="claude.ai",
        calls_itself=("claude-ai",),
        patience=Patience(50, "connectors are cut at about 60 s"),
    ),
    Client(
        title="AI SDK",
        calls_itself=("ai-sdk-mcp-client",),
        shows_both="version 1.0.102 of @ai-sdk/mcp hands the whole result over as JSON",
    ),
    Client(
        title="programs on the Python SDK",
        calls_itself=("mcp",),
        by_whole_name=True,
        limits_seen=(
            Patience(5, "google-adk over stdio, and autogen"),
            Patience(10, "agno"),
            Patience(30, "haystack, which says only `caller cancelled`; llama-index"),
        ),
    ),
    Client(
        title="or-mcp in a terminal",
        calls_itself=("or-mcp",),
        patience=Patience(86_400, "our own terminal waits for the run"),
    ),
)


def client_named(given: str) -> Client | None:
    """The program that gives itself this name, as far as it is known; where several begin so, the longest counts."""
    name = given.strip().lower()
    closest = max(CLIENTS, key=lambda client: client.is_called(name))
    return closest if closest.is_called(name) else None
