"""The desktop bundle, made by the official packer and started as a host would."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import pytest

from or_mcp import __version__
from or_mcp.offered import TOOL_NAMES
from tests.manifests.files import MANIFESTS, read
from tests.serving.programs import environment, started

PACKER = "@anthropic-ai/mcpb@2.1.2"
FOLDER = MANIFESTS / "mcpb"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed"),
]


def run(command: Sequence[str | Path], folder: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def packer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official packer, from npm."""
    folder = tmp_path_factory.mktemp("mcpb")
    run(["npm", "install", "--no-audit", "--no-fund", "--silent", PACKER], folder)
    return folder


@pytest.fixture(scope="module")
def bundle(packer: Path) -> Path:
    """The bundle, packed and unpacked."""
    packed, unpacked = packer / "or-mcp.mcpb", packer / "unpacked"
    run([packer / "node_modules" / ".bin" / "mcpb", "pack", FOLDER, packed], packer)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(unpacked)
    return unpacked


def test_the_manifest_passes_the_published_schema_and_the_official_validator(packer: Path):
    schemas = packer / "node_modules" / "@anthropic-ai" / "mcpb" / "schemas"
    manifest = read("mcpb/manifest.json")
    schema = schemas / f"mcpb-manifest-v{manifest['manifest_version']}.schema.json"
    jsonschema.validate(manifest, json.loads(schema.read_text(encoding="utf-8")), jsonschema.Draft7Validator)
    assert "passes" in run([packer / "node_modules" / ".bin" / "mcpb", "validate", FOLDER / "manifest.json"], packer)


def test_the_bundle_holds_what_a_host_needs_and_nothing_else(bundle: Path):
    assert {path.name for path in bundle.iterdir()} == {"manifest.json", "pyproject.toml", "server.py"}


def test_the_entry_point_is_the_server(bundle: Path, tmp_path: Path):
    entry_point = read("mcpb/manifest.json")["server"]["entry_point"]
    env = environment("http://127.0.0.1:9/api/v1", tmp_path, OPENROUTER_API_KEY="${user_config.openrouter_api_key}")
    with started(env=env, python=(str(bundle / entry_point),)) as talk:
        assert talk.greet()["serverInfo"]["version"] == __version__
        listed = talk.ask("tools/list")["result"]["tools"]
    assert [tool["name"] for tool in listed] == list(TOOL_NAMES)
