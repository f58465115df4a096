"""The hosts and clients the server is tested with. None of them is ours, and each is held at one version."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "hosts.md"


@dataclass(frozen=True)
class Pinned:
    """One program somebody else wrote, and what is tried with it."""

    title: str
    package: str
    version: str
    tried: str


_LONG = "a panel of 75 s at its own limit, paid once"
_LONG_AT_8 = "a panel of 75 s with a limit of 8 s, paid once"
NPM = (
    Pinned(
        "Claude Code",
        "@anthropic-ai/claude-code",
        "2.1.332",
        "the plugin, its skills and `or-mcp install`; `mcp list`; its model finds models and fuses; Escape",
    ),
    Pinned(
        "Codex",
        "@openai/codex",
        "0.171.0",
        "the configuration and `or-mcp install`; `mcp list`; sessions, one with a run that outlasts a call; Escape",
    ),
    Pinned("Gemini CLI", "@google/gemini-cli", "0.61.0", "the configuration and `or-mcp install`; `mcp list`"),
    Pinned("opencode", "opencode-ai", "1.18.33", "`or-mcp install`; `mcp list` starts it"),
    Pinned("Qwen Code", "@qwen-code/qwen-code", "0.24.4", "`or-mcp install`; `mcp list` starts it"),
    Pinned("MCP Inspector", "@modelcontextprotocol/inspector", "2.12.0", "its command line lists and calls the tools"),
    Pinned("TypeScript SDK 1", "@modelcontextprotocol/sdk", "1.32.2", f"lists and calls the tools; {_LONG_AT_8}"),
    Pinned(
        "TypeScript SDK 2",
        "@modelcontextprotocol/client",
        "2.4.0",
        f"lists and calls the tools, in both eras; {_LONG_AT_8}",
    ),
    Pinned("AI SDK", "@ai-sdk/mcp", "2.0.99", "lists and calls the tools"),
    Pinned("Mastra", "@mastra/mcp", "0.14.5", "lists and calls the tools"),
    Pinned(
        "MCP conformance suite",
        "@modelcontextprotocol/conformance",
        "0.2.0-alpha.12",
        "every scenario that each era requires, and those for tasks",
    ),
)
PYPI = (
    Pinned("fastmcp", "fastmcp", "4.2.3", "lists and calls the tools; reads the skills, digests checked"),
    Pinned("pydantic-ai", "pydantic-ai-slim[mcp]", "2.68.0", "an agent calls the tools"),
    Pinned("openai-agents", "openai-agents", "0.24.0", "an agent calls the tools"),
    Pinned("agno", "agno", "3.1.10", f"lists and calls the tools; {_LONG}"),
)
# They import the first generation of the MCP SDK, and have an environment of their own.
FRAMEWORKS_PYPI = (
    Pinned("LangChain", "langchain-mcp-adapters", "0.3.2", f"lists and calls the tools; {_LONG}"),
    Pinned("LlamaIndex", "llama-index-tools-mcp", "0.4.8", f"lists and calls the tools; {_LONG}"),
    Pinned("Google ADK", "google-adk", "2.13.0", f"lists and calls the tools; {_LONG}"),
    Pinned("AutoGen", "autogen-ext", "0.7.5", "lists and calls the tools"),
    Pinned("Haystack", "mcp-haystack", "2.1.1", f"lists and calls the tools; {_LONG}"),
)
# What they need beside them, and do not ask for.
FRAMEWORKS_MORE = ("mcp==1.30.0", "autogen-agentchat==0.7.5")
# They call OpenRouter's API, and are tried on the simulator; none of them is a host.
CALLERS_NPM = (
    "@openrouter/sdk@1.3.19",
    "@openrouter/ai-sdk-provider@2.10.0",
    "ai@6.0.326",
    "@openrouter/agent@0.8.0",
    "openai@6.49.0",
    "@anthropic-ai/sdk@1.14.0",
)
CALLERS_PYPI = (
    "anthropic==2.14.0",
    "dspy==3.4.1",
    "langchain-openrouter==0.2.9",
    "litellm==1.110.2",
    "llm-openrouter==0.7.1",
    "pydantic-ai-slim[openrouter]==2.68.0",
)
# They want other versions of what the others use.
APART_PYPI = ("instructor==1.17.0", "openrouter==1.3.84", "requests==2.34.2")
# Servers whose tools a model is lent: those of npm speak the older era of the protocol, those of PyPI the newer one.
SERVERS_NPM = (
    "@modelcontextprotocol/server-filesystem@2026.8.31",
    "@modelcontextprotocol/server-everything@2026.8.31",
    "@modelcontextprotocol/server-memory@2026.8.31",
    "@playwright/mcp@0.0.83",
)
# fastmcp puts one of them on HTTP.
SERVERS_PYPI = ("mcp-server-git==2026.10.19", "mcp-server-time==2026.10.19", "fastmcp==4.2.3")
NODE = "node@22"
"""Some of them need a newer node than many machines have; it comes as a package."""


def npm_packages() -> list[str]:
    """What npm installs."""
    return [NODE, *(f"{pinned.package}@{pinned.version}" for pinned in NPM), *CALLERS_NPM]


def pypi_packages() -> list[str]:
    """What pip installs, into an environment of its own."""
    return [f"{pinned.package}=={pinned.version}" for pinned in PYPI]


def framework_packages() -> list[str]:
    """What pip installs beside the first generation of the SDK."""
    return [*(f"{pinned.package}=={pinned.version}" for pinned in FRAMEWORKS_PYPI), *FRAMEWORKS_MORE]


def table() -> str:
    """The table of the page about hosts."""
    rows = [f"| {pinned.title} | {pinned.version} | {pinned.tried} |" for pinned in (*NPM, *PYPI, *FRAMEWORKS_PYPI)]
    return "\n".join(["| host or client | version | what is tried |", "|---|---|---|", *rows])


def with_table(text: str) -> str:
    """The page with the table in its place."""
    return re.sub(r"(<!-- hosts -->\n).*?(\n<!-- /hosts -->)", lambda m: m[1] + table() + m[2], text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
