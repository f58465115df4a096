"""The manifests, read."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"


def read(name: str) -> dict[str, Any]:
    """One of them, by its path in `manifests/`."""
    text = (MANIFESTS / name).read_text(encoding="utf-8")
    return tomllib.loads(text) if name.endswith(".toml") else json.loads(text)
