"""The sample catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.wire.models import ModelList

SAMPLE = Path(__file__).parents[1] / "data" / "sample_models.json"


@pytest.fixture(scope="session")
def catalogue() -> Snapshot:
    """Every sample model."""
    return Snapshot.of(ModelList.model_validate_json(SAMPLE.read_bytes()).data)
