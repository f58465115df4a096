"""Gemini CLI finds the server."""

from __future__ import annotations

import pytest

from tests.hosts.conftest import TOKEN
from tests.hosts.world import MANIFESTS, World

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(240)]


def list_servers(world: World) -> str:
    done = world.run("gemini", "mcp", "list")
    return done.stdout + done.stderr


def test_the_configuration_as_shipped_connects(world: World):
    world.write(".gemini/settings.json", (MANIFESTS / "gemini" / "settings.json").read_text(encoding="utf-8"))
    listed = list_servers(world)
    assert "✓ openrouter: uvx or-mcp (stdio) - Connected" in listed


def test_a_guarded_server_over_http_connects(world: World, guarded_url: str):
    add = ("gemini", "mcp", "add", "--scope", "user", "--transport", "http")
    world.run(*add, "--header", f"Authorization: Bearer {TOKEN}", "openrouter", guarded_url)
    assert f"✓ openrouter: {guarded_url} (http) - Connected" in list_servers(world)
