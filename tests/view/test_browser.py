"""The page in a real browser: `drive.cjs` drives it inside a host, and every check is a test here."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from or_mcp.view.report import report_html

HERE = Path(__file__).parent
CHECKS = (
    "every outcome is told in the banner",
    "the whole result is on the page",
    "a simulated run carries one ribbon instead of labels",
    "a model has one name, as a person says it",
    "an unknown cost is called unknown",
    "a live run fills its cards in place and stops asking when it ends",
    "before there is a result the run is found by its question",
    "without server tools nothing is called",
    "an early running result does not undo a later end",
    "a cancelled call says so and shows what had arrived",
    "a failed call is told with what was spent and what to do next",
    "lost contact is told, and can be tried again",
    "a panelist's text is read page by page",
    "an answer that was cut can be read whole",
    "links open through the host alone and say where they lead",
    "hostile words stay words",
    "heavy text is drawn quickly",
    "only the host is listened to",
    "the protocol's small duties are done",
    "the host's theme is worn",
    "a keyboard reaches everything in reading order, visibly",
    "nothing runs over the edge at 320 pixels",
    "motion stops for those who asked for that",
    "axe finds nothing, light or dark, wide or narrow",
    "only code and tables of an answer scroll sideways, however many disagree",
    "who asked, and when, is told under the title",
    "a panelist's text opens in its card, and another beside it",
    "runs of other tools and lists of runs are shown simply",
    "a report stands alone",
    "a hostile report stands alone",
)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed: the view can only be checked in a browser that node drives")
    return found


def chromium() -> str:
    named = os.environ.get("CHROMIUM")
    return named or program("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def install(folder: Path) -> None:
    """The driver's own packages, once, as its lock file pins them."""
    if not (folder / "node_modules").is_dir():
        npm = [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(npm, cwd=folder, check=True, capture_output=True, timeout=200)


def drive(script: Path, *arguments: str) -> Mapping[str, Any]:
    done = subprocess.run(
        [program("node"), str(script), *arguments], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = (json.loads(line) for line in done.stdout.splitlines())
    return {line["name"]: line["problem"] for line in lines}


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    browser = chromium()
    program("node")
    install(HERE)
    reports = tmp_path_factory.mktemp("reports")
    fused = json.loads((HERE / "runs.json").read_text(encoding="utf-8"))["fused"]
    ending = "</script><script>alert(1)</script><!-- \u2028 &"
    hostile = {**fused, "prompt": f"</title>{ending}", "answer": ending}
    for name, answer in (("fused", fused), ("hostile", hostile)):
        (reports / f"{name}.html").write_text(report_html(answer), encoding="utf-8")
    return drive(HERE / "drive.cjs", browser, str(reports))


@pytest.mark.parametrize("check", CHECKS)
def test_in_a_browser(problems: Mapping[str, str], check: str) -> None:
    assert problems[check] == "", problems[check]


def test_no_check_of_the_driver_is_left_out(problems: Mapping[str, str]) -> None:
    assert tuple(problems) == CHECKS


@pytest.mark.skipif(
    "OR_MCP_OFFICIAL_BRIDGE" not in os.environ, reason="set OR_MCP_OFFICIAL_BRIDGE=1 for the big install"
)
def test_under_the_official_bridge(tmp_path: Path) -> None:
    folder = HERE / "bridge"
    browser = chromium()
    program("node")
    install(HERE)
    install(folder)
    assert drive(folder / "drive.cjs", browser, str(tmp_path)) == {"the official bridge accepts every message": ""}
