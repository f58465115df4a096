"""What `or-mcp install` writes is found by the host itself, and gone for it after `--undo`."""

from __future__ import annotations

import re
import sys

import pytest

from tests.hosts.world import World
from tests.serving.programs import ROOT

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(240)]


LISTS = {
    "claude-code": (("claude", "mcp", "list"), "openrouter: uvx or-mcp - ✔ Connected"),
    "codex": (("codex", "mcp", "list", "--json"), '"command": "uvx"'),
    "gemini": (("gemini", "mcp", "list"), "✓ openrouter: uvx or-mcp (stdio) - Connected"),
    "opencode": (("opencode", "mcp", "list"), "✓ openrouter connected"),
    "qwen": (("qwen", "mcp", "list"), "✓ openrouter: uvx or-mcp (stdio) - Connected"),
}


@pytest.mark.parametrize("host", LISTS)
def test_the_host_finds_what_was_installed(world: World, host: str):
    lists, found = LISTS[host]

    def install(*options: str) -> str:
        program = (sys.executable, "-m", "or_mcp", "install", host, *options)
        done = world.run(*program, more={"PYTHONPATH": str(ROOT)})
        assert done.returncode == 0, done.stdout + done.stderr
        listed = world.run(*lists)
        return re.sub(r"\x1b\[[0-9;]*m", "", listed.stdout + listed.stderr)

    assert found in install()
    assert "openrouter" not in install("--undo")
