"""The directories that every test here reads from."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.attachments.world import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Every trap that a directory can hold. Made once: no test changes it."""
    return make_world(tmp_path_factory.mktemp("world").resolve())


@pytest.fixture
def fresh(tmp_path: Path) -> World:
    """The same, to be changed."""
    return make_world(tmp_path.resolve())
