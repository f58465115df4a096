"""Gemini CLI finds the server."""

from __future__ import annotations

import pytest

from tests.hosts.world import MANIFESTS, World

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(120)]


def list_servers(world: World) -> str:
    done = world.run("gemini", "mcp", "list")
    return done.stdout + done.stderr


def test_the_configuration_as_shipped_connects(world: World):
    world.write(".gemini/settings.json", (MANIFESTS / "gemini" / "settings.json").read_text(encoding="utf-8"))
    listed = list_servers(world)
    assert "✓ openrouter: uvx or-mcp (stdio) - Connected" in listed


def test_a_server_over_http_connects(world: World):
    world.run("gemini", "mcp", "add", "--scope", "user", "--transport", "http", "openrouter", world.url)
    listed = list_servers(world)
    assert f"✓ openrouter: {world.url} (http) - Connected" in listed
