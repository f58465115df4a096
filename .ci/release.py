"""Everything a release must pass, before anything of it is published: `python .ci/release.py v1.2.3`.

The tag is the version that the package gives itself; the changelog has a dated section for it; what is built is
described correctly, and starts when it is installed. Leaves in `dist/` what is to be published, and in `notes.md`
beside it what is to be said.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST, NOTES = ROOT / "dist", ROOT / "dist" / "notes.md"
_SECTION = r"^## {version} — (?P<date>\S+)\n(?P<notes>.*?)(?=^## |\Z)"


class NotReady(Exception):
    """What is missing, in one line."""


def main(arguments: list[str]) -> int:
    """Check and build; 0 only if all of it may be published."""
    if len(arguments) != 1:
        print("usage: release.py TAG", file=sys.stderr)
        return 2
    try:
        version = version_of(arguments[0])
        notes = notes_of(version)
        packages = built()
        check_description(packages)
        check_start(next(each for each in packages if each.suffix == ".whl"), version)
    except NotReady as missing:
        print(f"release: {missing}", file=sys.stderr)
        return 1
    NOTES.write_text(notes, encoding="utf-8")
    print("\n".join(["ready to publish:", *(f"  {each.relative_to(ROOT)}" for each in (*packages, NOTES))]))
    return 0


def version_of(tag: str) -> str:
    """The version of the package, which the tag must name."""
    text = (ROOT / "or_mcp" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    version = found[1] if found else ""
    if tag != f"v{version}":
        raise NotReady(f"the tag is {tag}, but the package calls itself {version}: tag v{version}, or change it there")
    return version


def notes_of(version: str) -> str:
    """What the changelog says about a version."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(_SECTION.format(version=re.escape(version)), text, re.MULTILINE | re.DOTALL)
    if found is None or not found["notes"].strip():
        raise NotReady(f"CHANGELOG.md says nothing under `## {version} — YYYY-MM-DD`")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", found["date"]):
        raise NotReady(f"CHANGELOG.md has {found['date']!r} where {version} needs the date of its release")
    return found["notes"].strip() + "\n"


def built() -> list[Path]:
    """The source distribution, and the wheel that is made from it."""
    if DIST.exists() and any(DIST.iterdir()):
        raise NotReady(f"{DIST} holds an earlier build: remove it, so that only what is built now is published")
    _run("the build", "-m", "build", "--quiet", "--outdir", str(DIST), str(ROOT))
    return sorted(each for each in DIST.iterdir() if each.name.endswith((".whl", ".tar.gz")))


def check_description(packages: list[Path]) -> None:
    """The metadata is valid, and the description can be shown."""
    _run("the description", "-m", "twine", "check", "--strict", *map(str, packages))


def check_start(wheel: Path, version: str) -> None:
    """What was built says its version, in an environment of its own; that needs none of its dependencies."""
    with tempfile.TemporaryDirectory() as folder:
        _run("an environment", "-m", "venv", folder)
        python = Path(folder) / "bin" / "python"
        quietly = ["--quiet", "--disable-pip-version-check", "--no-deps"]
        _run("installing", "-m", "pip", "install", *quietly, str(wheel), python=python)
        told = _run("starting", "-m", "or_mcp", "--version", python=python)
    if told.strip() != f"or-mcp {version}":
        raise NotReady(f"what was built calls itself {told.strip()!r}, not 'or-mcp {version}'")


def _run(what: str, *arguments: str, python: Path = Path(sys.executable)) -> str:
    done = subprocess.run([str(python), *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise NotReady(f"{what} failed:\n{said[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
