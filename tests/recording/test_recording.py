"""The pictures in docs/ can be made anew by anyone, and the README shows each of them."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.recording.__main__ import DOCS, record_terminal, take_screenshots
from tests.recording.outcomes import ENDED
from tests.view.test_browser import chromium, program

SCREENSHOTS = {*ENDED, "running"}
LARGEST = 250_000


def test_the_readme_shows_every_picture_and_no_other():
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    pictures = {path.name for path in DOCS.iterdir() if path.suffix != ".md"}
    assert set(re.findall(r"docs/([\w-]+\.(?!md\b)\w+)", readme)) == pictures
    assert {path.stem for path in DOCS.glob("*.png")} == SCREENSHOTS


def test_the_pictures_are_small():
    assert [path.name for path in DOCS.iterdir() if path.stat().st_size > LARGEST] == []


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_terminal_can_be_recorded_again(tmp_path: Path):
    record_terminal(tmp_path)
    lines = (tmp_path / "demo.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "$ or-mcp demo"
    assert all(line.startswith("│") for line in lines[1:])
    assert lines[-1].startswith("│ Cost: $")
    assert any(line.startswith("│ Partial panel: 2/3 panelists answered.") for line in lines)
    drawn = ET.fromstring((tmp_path / "demo.svg").read_text(encoding="utf-8"))
    said = {"".join(text.itertext()) for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert any("writing" in words for words in said)
    assert any("Partial panel: 2/3" in words for words in said)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_outcome_can_be_pictured_again(tmp_path: Path):
    chromium()
    program("npm")
    take_screenshots(tmp_path)
    taken = {path.stem: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(taken) == SCREENSHOTS
    assert all(picture.startswith(b"\x89PNG") and 10_000 < len(picture) < LARGEST for picture in taken.values())
