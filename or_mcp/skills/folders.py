"""The folders of the skills, as hosts are served them: each file by its address, digest and size."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent
ENTRY = "SKILL.md"
# Without these tools a skill speaks of what is not there.
_NEEDS = {
    "fusion": {"fuse", "run"},
    "choose-a-model": {"list_models", "endpoints"},
    "second-opinion": {"ask", "list_models"},
    "spend-little": {"ask", "account", "list_models", "run"},
}


@dataclass(frozen=True, slots=True)
class SkillFile:
    """One file of a skill."""

    uri: str
    content: bytes

    @property
    def digest(self) -> str:
        """By which a host knows that it is unchanged."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill: what it is and when it is used, and its files, of which the first is where it begins."""

    frontmatter: Mapping[str, str]
    files: tuple[SkillFile, ...]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.frontmatter["name"]

    @property
    def entry(self) -> SkillFile:
        """Where it begins."""
        return self.files[0]


def offered(tools: Collection[str]) -> tuple[Skill, ...]:
    """The skills whose tools the operator offers. The first time it reads them."""
    return tuple(_read(name) for name, needs in _NEEDS.items() if needs <= set(tools))


@cache
def _read(name: str) -> Skill:
    folder = ROOT / name
    rest = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ENTRY)
    files = (folder / ENTRY, *rest)
    served = (SkillFile(f"skill://{name}/{path.relative_to(folder).as_posix()}", path.read_bytes()) for path in files)
    return Skill(_frontmatter(files[0].read_text(encoding="utf-8")), tuple(served))


def _frontmatter(text: str) -> dict[str, str]:
    """What stands between the first two lines of dashes: names and plain words, one a line."""
    head = text.split("---\n", 2)[1]
    return dict(line.split(": ", 1) for line in head.splitlines())
