"""A run drawn on a terminal, on a real pseudo-terminal where it matters."""

from __future__ import annotations

import os
import struct
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from or_mcp.cli.live import Screen
from or_mcp.cli.readable import readable
from or_mcp.cli.terminal import as_json, fitted, safe, width, wrapped
from tests.recording.picture import Picture

fcntl = pytest.importorskip("fcntl", reason="pseudo-terminals are Unix")
termios = pytest.importorskip("termios")

WIDE = "提供者が過負荷です 👩‍👩‍👧 e\u0301"
END = "\x05"
HOSTILE = "a\x1b]0;title\x07b\x1b[2Jc\x9b31md\u202ee\u2066f\rg\x7fh\ud800"


class Terminal:
    """A pseudo-terminal that one can draw on and look at."""

    def __init__(self, columns: int) -> None:
        self.master, slave = os.openpty()
        self.picture = Picture(columns)
        self.raw = ""
        self.stream = os.fdopen(slave, "w", encoding="utf-8")
        self.resize(columns)

    def resize(self, columns: int, rows: int = 40) -> None:
        fcntl.ioctl(self.stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def look(self) -> list[str]:
        # What is written arrives in pieces: a mark at its end says when all of it is there.
        print(END, end="", file=self.stream, flush=True)
        taken = b""
        while not taken.endswith(END.encode()):
            taken += os.read(self.master, 65_536)
        output = taken.decode().removesuffix(END)
        self.raw += output
        self.picture.feed(output)
        return [line for line in self.picture.lines if line]


@contextmanager
def terminal(columns: int = 90) -> Generator[Terminal]:
    opened = Terminal(columns)
    try:
        yield opened
    finally:
        opened.stream.close()
        os.close(opened.master)


def told(*states: tuple[str, int], **more: Any) -> dict[str, Any]:
    models = ("anthropic/claude-opus-5", "openai/gpt-5.6-sol", "google/gemini-3.1-pro-preview")
    panel: list[dict[str, Any]] = []
    for model, (status, chars) in zip(models, states, strict=False):
        failure = {"error": WIDE + HOSTILE, "status_code": 429} if status == "failed" else {}
        panel.append({"model": model, "status": status, "chars": chars, **failure})
    running = {"run_id": "run_1", "status": "running", "answer": "", "panel": panel, "cost_usd": None}
    return running | {"elapsed_seconds": 3.2, "failed_models": [], "notes": []} | more


@pytest.mark.parametrize("columns", [20, 38, 60, 100])
def test_lines_are_redrawn_in_place_and_broken_between_words_alone(monkeypatch: pytest.MonkeyPatch, columns: int):
    monkeypatch.setenv("TERM", "xterm")
    label = "[simulated]" if columns > 40 else ""
    with terminal(columns) as there:
        screen = Screen(label, there.stream)
        screen.say("Asking.")
        screen.draw(told(("pending", 0), ("pending", 0), ("pending", 0)))
        screen.draw(told(("pending", 120), ("failed", 0), ("answered", 99_999)))
        lines = [line.removeprefix(label).strip() for line in there.look()]
        assert all(width(line) < columns for line in lines)
        assert [line[0] for line in lines if line[0] in "✓✗"] == ["✗", "✓"]
        assert "claude" in lines[1]
        assert sum("waiting" in line for line in lines) == 2, "what stood there before is drawn over"
        words = " ".join(line.strip(" ✗") for line in lines)
        # In a terminal of 20 columns there is room for no such word.
        assert columns < 38 or all(word in words.split() for word in f"failed · 429 {safe(WIDE + HOSTILE)}".split(" "))


def test_what_a_terminal_echoed_does_not_shift_the_lines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    with terminal(80) as there:
        there.stream.write("^C")
        screen = Screen(stream=there.stream)
        screen.draw(told(("pending", 0)))
        there.stream.write("^C")
        screen.say("Stopping.")
        assert not any(line.startswith((" ", "^")) for line in there.look())


def test_a_window_made_narrower_is_drawn_over_and_nothing_above_is_lost(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    with terminal(80) as there:
        screen = Screen(stream=there.stream)
        screen.say("What was there before.")
        screen.draw(told(("pending", 120), ("pending", 10), ("pending", 3)))
        before = there.look()
        there.resize(40)
        # A terminal breaks the lines that stand when it is made narrower.
        there.picture = Picture(40)
        there.picture.feed("".join(f"{line}\r\n" for line in before))
        screen.draw(told(("answered", 120), ("pending", 10), ("pending", 3)))
        lines = there.look()
        assert lines[0] == "What was there before."
        assert [line.strip(" ⠋⠙⠹") for line in lines[1:5]] == [
            "✓ claude-opus-5",
            "answered · 120 chars · 3 s",
            "gpt-5.6-sol",
            "writing · 10 chars",
        ]
        assert sum("writer" in line for line in lines) == 1


def test_a_window_too_low_for_the_panel_shows_how_the_run_goes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    with terminal(80) as there:
        there.resize(80, rows=4)
        screen = Screen(stream=there.stream)
        for chars in (1, 2, 3):
            screen.draw(told(("pending", chars), ("pending", 10), ("pending", 3)))
        lines = there.look()
        assert len(lines) == 3
        assert "running" in lines[-1]


@pytest.mark.parametrize(
    ("variables", "colours", "redraws"),
    [({}, True, True), ({"NO_COLOR": "1"}, False, True), ({"TERM": "dumb"}, False, False)],
)
def test_colours_and_redrawing_are_used_only_where_they_are_wanted(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], colours: bool, redraws: bool
):
    for name, value in ({"TERM": "xterm", "NO_COLOR": ""} | variables).items():
        monkeypatch.setenv(name, value)
    with terminal() as there:
        Screen(stream=there.stream).draw(told(("answered", 5), ("failed", 0)))
        there.look()
    assert ("\x1b[32m" in there.raw) == colours
    assert ("\x1b" in there.raw) == redraws


def test_anywhere_else_a_line_is_printed_when_something_has_changed(tmp_path: Any):
    with (tmp_path / "log").open("w+", encoding="utf-8") as log:
        screen = Screen(stream=log)
        for chars in (0, 10, 20, 30):
            screen.draw(told(("pending", chars), ("answered", 7)))
        log.seek(0)
        lines = log.read().splitlines()
    assert [line.split(" · ")[0] for line in lines] == [
        "… anthropic/claude-opus-5 thinking",
        "✓ openai/gpt-5.6-sol answered",
        "… run running",
        "… anthropic/claude-opus-5 writing",
    ]


def test_who_was_stopped_is_not_called_writing_or_failed(tmp_path: Any):
    with (tmp_path / "log").open("w+", encoding="utf-8") as log:
        ended = {"status": "cancelled", "answer": "", "cost_usd": 0.0}
        cut_off = {"model": "openai/gpt-5.6-sol", "status": "failed", "chars": 0, "error": "no reply was recorded"}
        run = told(("pending", 10), **ended)
        Screen(stream=log).draw(run | {"panel": [*run["panel"], cut_off]})
        log.seek(0)
        shown = log.read()
    assert "■ anthropic/claude-opus-5 stopped · 10 chars" in shown
    assert "■ openai/gpt-5.6-sol stopped" in shown
    assert "■ run stopped · 3 s · cost unknown" in shown
    assert "✗" not in shown


def test_nobody_reading_does_not_stop_the_drawing():
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    screen = Screen(stream=stream)
    screen.draw(told(("pending", 0)))
    screen.draw(told(("answered", 9)))
    stream.close()


def test_words_of_models_cannot_command_a_terminal_or_be_read_in_another_order():
    assert safe(HOSTILE) == "a\ufffd]0;title\ufffdb\ufffd[2Jc\ufffd31md\ufffde\ufffdf\ufffdg\ufffdh\ufffd"
    shown = readable(
        told(("failed", 0), status="failed", error=HOSTILE, answer=HOSTILE, notes=[HOSTILE])
        | {
            "analysis": {
                "consensus": [f"one\nFailed: {HOSTILE}"],
                "contradictions": [{"topic": HOSTILE, "stances": [{"model": HOSTILE, "stance": HOSTILE}]}],
                "partial_coverage": [{"models": [HOSTILE], "point": HOSTILE}],
                "unique_insights": [{"model": None, "insight": HOSTILE}],
            },
            "failed_models": [{"model": HOSTILE, "error": HOSTILE}],
            "responses": [{"model": HOSTILE, "content": HOSTILE}],
            "sources": [{"title": HOSTILE, "url": HOSTILE}],
        },
        {"cost_line": f"Cost: {HOSTILE}"},
    )
    assert not set(shown) & set("\x1b\x07\x9b\u202e\u2066\r\x7f\ud800")
    assert "\n    Failed:" in shown


def test_json_for_machines_is_whole_and_cannot_command_a_terminal_either():
    import json

    written = as_json({"answer": HOSTILE})
    assert json.loads(written) == {"answer": HOSTILE}
    assert written.isprintable()


@pytest.mark.parametrize("columns", range(12))
def test_a_line_is_cut_where_its_columns_end(columns: int):
    assert width(fitted(WIDE * 3, columns)) <= columns
    assert fitted("two\n lines\t", 20) == "two  lines "


def test_long_lines_are_broken_between_words_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    text = "  - one two three four five six seven eight\n\n    https://example.org/a/long/address/that/stays/whole"
    with terminal(24) as there:
        assert wrapped(text, there.stream).split("\n") == [
            "  - one two three four",
            "    five six seven eight",
            "",
            "    https://example.org/a/long/address/that/stays/whole",
        ]
        monkeypatch.setenv("TERM", "dumb")
        assert wrapped(text, there.stream) == text
