"""A release is checked by a program before anything of it is published."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from or_mcp import __version__

ROOT = Path(__file__).parents[1]
TAG = f"v{__version__}"
DATED = f"# Changelog\n\n## {__version__} — 2026-12-01\n\nThe first version.\n\n## 0.0.1 — 2026-01-01\n\nOld.\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a release is made from, with a changelog that is ready."""
    folder = tmp_path / "checkout"
    for name in ("or_mcp", ".ci"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "CHANGELOG.md").write_text(DATED, encoding="utf-8")
    return folder


def release(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(checkout / ".ci" / "release.py"), *arguments]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=170)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_what_is_ready_is_built_checked_started_and_described(checkout: Path):
    done = release(checkout, TAG)
    assert done.returncode == 0, done.stderr
    built = sorted(each.name for each in (checkout / "dist").iterdir())
    assert built == ["notes.md", f"or_mcp-{__version__}-py3-none-any.whl", f"or_mcp-{__version__}.tar.gz"]
    assert (checkout / "dist" / "notes.md").read_text(encoding="utf-8") == "The first version.\n"
    again = release(checkout, TAG)
    assert again.returncode == 1
    assert "holds an earlier build" in again.stderr


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_description_that_cannot_be_shown_is_not_published(checkout: Path):
    project = checkout / "pyproject.toml"
    project.write_text(project.read_text(encoding="utf-8").replace('readme = "README.md"\n', ""), encoding="utf-8")
    done = release(checkout, TAG)
    assert done.returncode == 1
    assert "the description failed" in done.stderr


def test_a_tag_that_names_another_version_is_refused(checkout: Path):
    done = release(checkout, "v9.9.9")
    assert done.returncode == 1
    assert done.stderr == (
        f"release: the tag is v9.9.9, but the package calls itself {__version__}: tag {TAG}, or change it there\n"
    )
    assert not (checkout / "dist").exists()


@pytest.mark.parametrize(
    ("changelog", "words"),
    [
        ("# Changelog\n\n## 0.0.1 — 2026-01-01\n\nOld.\n", "says nothing under"),
        (DATED.replace("The first version.", ""), "says nothing under"),
        (DATED.replace("2026-12-01", "unreleased"), "has 'unreleased' where"),
    ],
)
def test_a_version_the_changelog_does_not_describe_is_refused(checkout: Path, changelog: str, words: str):
    (checkout / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    done = release(checkout, TAG)
    assert done.returncode == 1
    assert re.fullmatch(rf"release: CHANGELOG\.md {words}.*\n", done.stderr), done.stderr
    assert not (checkout / "dist").exists()


def test_the_workflow_runs_what_every_change_runs_and_this_program_before_it_publishes():
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    build, publish = text.split("\n  publish:\n")
    assert build.index("run: .ci/run") < build.index('.ci/release.py "$GITHUB_REF_NAME"')
    assert "needs: build" in publish
    assert "id-token" not in build
