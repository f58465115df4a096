"""A folder of servers for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Servers in a file of this test's own."""
    return World(tmp_path)
