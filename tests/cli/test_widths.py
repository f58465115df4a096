"""Every command in a real terminal, narrow and wide: no word is broken, and no line is longer than a line."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

import anyio.to_thread
import pytest

from or_mcp.cli import COMMANDS as PROGRAMS
from or_mcp.cli.terminal import width
from tests.conftest import Connect, Upstream
from tests.sign_in import browser

PROGRAM = f"{shlex.quote(sys.executable)} -m or_mcp"
QUESTION = "Monolith or microservices for a product that five people build and keep awake?"
COMMANDS = (
    f"fuse '{QUESTION}' --no-web",
    f"ask openai/gpt-5-mini '{QUESTION}'",
    f"ask '{QUESTION}' --max-cost 0.0000001",
    f"chat -1 '{QUESTION}'",
    "ask",
    "runs",
    "runs show run_unknown",
    "runs stop",
    "account",
    "store check",
    "resident",
    "resident stop",
    f"make --kind image '{QUESTION}'",
    f"make --kind speech '{QUESTION}' --out speech.wav",
    "make --kind image ''",
    "serve --http --port 0",
    "serve --http --port 99999",
    "serve --http --host 0.0.0.0",
    "simulate --port 0",
    "simulate --faults nowhere.json",
    "doctor",
    "install",
    "install claude-code",
    "install claude-code --undo",
    "login --forget",
    "login --no-browser </dev/null",
    "login --no-browser",
    "login --forget",
    "--help",
    *(f"{each.name} --help" for each in PROGRAMS),
)
DECIDE = {
    "questions": {"topic": {"type": "choice", "instructions": "What is it about?", "options": ["money", "time"]}},
    "rows": ["It costs too much for what it brings to a team of five people.", "It takes for ever."],
}
END = "that was all"
# On a busy machine the doctor alone takes minutes.
SECONDS = 900
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(SECONDS + 60),
    pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed"),
]

# What is typed when what a terminal shows ends like this for the first time.
Typed = Mapping[str, Callable[[str], tuple[str, ...]]]
Terminal = Callable[[int, dict[str, str], str, Typed], tuple[list[str], list[str]]]


def _code(shown: str) -> tuple[str, ...]:
    """The code that the page shows whose address stands there."""
    (url,) = re.findall(r"http://\S+/auth\?\S+", shown)[-1:]
    (code,) = re.findall(r"<pre>(.+)</pre>", browser.press("allow", url))
    return code, "Enter"


NOBODY_TYPES: Typed = {}
ANSWERS: Typed = {"/mcp": lambda _: ("C-c",), "paid.": lambda _: ("C-c",), "Code:": _code}


@pytest.fixture
def terminal(tmp_path: Path) -> Generator[Terminal]:
    """What stands in a terminal of so many columns after a script: its lines, and those that it broke joined."""
    tmux = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]

    def said(*arguments: str) -> str:
        return subprocess.run([*tmux, *arguments], check=True, capture_output=True, text=True, timeout=30).stdout

    def shown(columns: int, environment: dict[str, str], script: str, typed: Typed) -> tuple[list[str], list[str]]:
        file = tmp_path / "script.sh"
        file.write_text(f"trap : INT\nclear\n{script}\necho {END}\nsleep {SECONDS}\n", encoding="utf-8")
        own = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color", **environment}
        kept = ["set-option", "-g", "history-limit", "50000", ";"]
        session = ["new-session", "-d", "-c", str(tmp_path), "-x", str(columns), "-y", "60", f"sh {file}"]
        subprocess.run([*tmux, *kept, *session], env=own, check=True, timeout=30)
        whole, until = ("capture-pane", "-p", "-S", "-", "-E", "-"), time.monotonic() + SECONDS
        waiting = dict(typed)
        while END not in (text := said(*whole)):
            assert time.monotonic() < until, text
            for asked in [each for each in waiting if text.rstrip().endswith(each)]:
                said("send-keys", *waiting.pop(asked)(said(*whole, "-J")))
            time.sleep(0.3)
        assert not waiting, f"nobody asked: {text}"
        return text.splitlines(), said(*whole, "-J").splitlines()

    yield shown
    subprocess.run([*tmux, "kill-server"], capture_output=True, check=False, timeout=30)


def broken(lines: list[str], columns: int) -> list[str]:
    """The lines that were too long for the terminal, but for a word that no line could hold."""
    return [
        line
        for line in lines
        # What is written into a file is shown as it stands there.
        if not re.match(r"[+-] {3}", line)
        and width(line.rstrip()) > columns
        and max(width(word) for word in line.split()) + _margin(line) <= columns
    ]


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip(" │"))


@pytest.mark.parametrize("columns", [40, 80, 200])
async def test_no_command_breaks_a_word_or_runs_over_the_edge(
    upstream: Upstream, environment: dict[str, str], connect: Connect, terminal: Terminal, columns: int
):
    async with connect() as client:
        decided = await client.call_tool("decide", DECIDE)
    upstream.script(
        {"path": "/responses", "panel_failures": {"0": {"error": "Provider overloaded", "status_code": 503}}}
    )
    commands = (*COMMANDS, f"runs show {decided.structured_content['run_id']}")
    script = "\n".join(f"echo '$ {each.split()[0]}'; {PROGRAM} {each}" for each in commands)
    lines, joined = await anyio.to_thread.run_sync(terminal, columns, environment, script, ANSWERS)
    assert "Blind spots:" in joined
    assert any(line.startswith("Today $") for line in joined)
    assert any(line.startswith("Signed in with key") for line in joined)
    assert max(width(line) for line in lines) <= columns
    assert broken(joined, columns) == []


@pytest.mark.parametrize("columns", [40, 80, 200])
async def test_the_demo_is_whole_at_every_width_and_says_once_that_it_is_simulated(
    environment: dict[str, str], terminal: Terminal, columns: int
):
    lines, joined = await anyio.to_thread.run_sync(terminal, columns, environment, f"{PROGRAM} demo", NOBODY_TYPES)
    said = [line for line in joined if line.strip() and END not in line]
    assert all(line.startswith("│") for line in said), "the bar stands before every line that is simulated"
    assert sum("imulated" in line for line in said if "http" not in line) == 1
    assert sum("429" in line for line in said) == 1, "a failure is told once"
    assert max(width(line) for line in lines) <= columns
    assert broken(joined, columns) == []
