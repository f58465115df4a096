"""`python -m tests.recording [FOLDER]`: the pictures in docs/, made anew from real runs through the simulator."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from tests.recording.outcomes import outcomes
from tests.recording.picture import Picture, our_program, told_on_a_terminal
from tests.recording.svg import HOLD_SECONDS, Frame, animated

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
COLUMNS, ROWS = 100, 34
LONGEST_PAUSE_SECONDS = 1.0
TITLE = "or-mcp demo: a simulated fusion of three models, live in a terminal"
_COMMAND = "$ or-mcp demo\n"


def record(folder: Path) -> None:
    """Write every picture into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    record_terminal(folder)
    take_screenshots(folder)


def record_terminal(folder: Path) -> None:
    """The demo on a real pseudo-terminal: as it moved, and what stood there at its end."""
    picture = Picture(COLUMNS)
    picture.feed(_COMMAND)
    frames, before = [Frame(0.0, [list(row) for row in picture.rows])], 0.0
    for second, output in told_on_a_terminal(our_program("demo"), dict(os.environ), columns=COLUMNS, rows=ROWS):
        picture.feed(output)
        # Where nothing happens for long, nobody learns from watching it.
        at = frames[-1].second + min(second - before, LONGEST_PAUSE_SECONDS)
        before = second
        frames.append(Frame(at, [list(row) for row in picture.rows[:ROWS]]))
    top = frames[-1]
    frames.append(Frame(top.second + HOLD_SECONDS, picture.rows[-ROWS - 1 : -1]))
    lines = "\n".join(picture.lines).strip()
    (folder / "demo.txt").write_text(f"{lines}\n", encoding="utf-8")
    drawn = animated(frames, top, columns=COLUMNS, rows=ROWS, title=TITLE)
    (folder / "demo.svg").write_text(drawn, encoding="utf-8")


def take_screenshots(folder: Path) -> None:
    """The page in a real browser, once for each outcome."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    for needed in (HERE, HERE.parent / "view"):
        if not (needed / "node_modules").is_dir():
            npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(npm, cwd=needed, check=True, stdout=subprocess.DEVNULL)
    with TemporaryDirectory() as directory:
        recorded = Path(directory) / "outcomes.json"
        recorded.write_text(json.dumps(anyio.run(outcomes)), encoding="utf-8")
        command = ["node", str(HERE / "screenshots.cjs"), str(recorded), str(folder), chromium]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    record(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS)
