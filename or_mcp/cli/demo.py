"""`or-mcp demo`: the whole product with no key and no internet."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from or_mcp.cli import fail
from or_mcp.cli.live import Screen, follow
from or_mcp.cli.readable import readable

QUESTION = "Monolith or microservices for a product built by five people?"
PANEL = ("anthropic/claude-opus-5", "openai/gpt-5.6-sol", "google/gemini-3.1-pro-preview")
LABEL = "[simulated]"
_REPORT = "report.html"
_SECONDS = 6
# One panelist fails on purpose: a panel that is not complete is what a user must be able to recognise.
_FAULT: Mapping[str, object] = {
    "path": "/responses",
    "duration_s": _SECONDS,
    "panel_failures": {PANEL[2]: {"error": "Provider returned error: rate limited upstream", "status_code": 429}},
}


def run(arguments: argparse.Namespace) -> int:
    """Start a simulator and our server, run one fusion through a real MCP client, show it."""
    del arguments
    import anyio

    return anyio.run(_demo)


async def _demo() -> int:
    from or_mcp.simulator import Simulator

    print(f"{LABEL} or-mcp demo: a simulated OpenRouter on this machine. No key, no internet, nothing is paid.")
    directory = Path(mkdtemp(prefix="or-mcp-demo-"))
    async with Simulator(faults=[_FAULT]).running() as base_url:
        answer = await _fuse(base_url, directory)
    if answer.is_error:
        return fail(answer.content[0].text)
    for line in readable(answer.structured_content, answer.content[0].text.splitlines()[-1]).splitlines():
        print(line if line.startswith(LABEL) else f"{LABEL} {line}")
    print(f"{LABEL} HTML report: {directory / _REPORT}")
    return 0


async def _fuse(base_url: str, directory: Path) -> Any:
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    environment = {
        "OPENROUTER_BASE_URL": base_url,
        "OPENROUTER_API_KEY": "sk-or-simulated",
        "OR_MCP_DATA_DIR": str(directory),
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", ""),
    }
    server = StdioServerParameters(command=sys.executable, args=["-m", "or_mcp"], env=environment)
    async with Client(stdio_client(server)) as client:
        print(f"{LABEL} Asking a panel of {len(PANEL)}: {QUESTION}")
        given = {"analysis_models": list(PANEL), "prompt": QUESTION}
        answer = await follow(client.call_tool, "fuse", given, Screen(LABEL, sys.stdout))
        if not answer.is_error:
            report = await client.read_resource(f"openrouter://runs/{answer.structured_content['run_id']}/report")
            (directory / _REPORT).write_text(getattr(report.contents[0], "text", ""), encoding="utf-8")
        return answer
