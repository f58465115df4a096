"""The skills in the Claude Code plugin are those of the package: a plugin that is copied takes no link with it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from or_mcp.skills.folders import ENTRY, ROOT
from tests.manifests.files import MANIFESTS

PLUGIN = MANIFESTS / "claude-code" / "skills"


def packaged() -> dict[str, bytes]:
    """Every file of every skill, as the package has it."""
    return _files(folder for folder in ROOT.iterdir() if (folder / ENTRY).exists())


def in_the_plugin() -> dict[str, bytes]:
    """The same in the plugin."""
    return _files(PLUGIN.iterdir())


def write() -> None:
    """Bring the plugin up to date."""
    for name, content in packaged().items():
        target = PLUGIN / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _files(folders: Iterable[Path]) -> dict[str, bytes]:
    return {
        f"{folder.name}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }
