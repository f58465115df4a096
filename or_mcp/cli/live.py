"""A run shown live: one line a panelist, updating in a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from or_mcp.cli.terminal import SPINNER, can_redraw, emit, fitted, let_go, padded, parted, size, tinted, width, wrapped

CallTool = Callable[[str, dict[str, Any]], Awaitable[Any]]

# How often the terminal asks how its run stands.
_LOOK_EVERY_SECONDS = 0.4
_LOOKS_FOR_COST = 5
_NARROW = 60
# Of what a provider says of its failure.
_LONGEST = 400
_BAR = 20
_MARKS = {"good": "✓", "bad": "✗", "warn": "■", "busy": SPINNER, "quiet": "·"}
_STOPPED = ("cancelled", "interrupted")
_ENDINGS = {"completed": "good", "running": "busy", "cancelled": "warn", "interrupted": "warn", "failed": "bad"}


class Shows(Protocol):
    """Where a run is shown while it goes on."""

    def draw(self, answer: Mapping[str, Any]) -> None:
        """Show how it stands."""
        ...

    def say(self, words: str) -> None:
        """Show a line that stays."""
        ...


class Watch:
    """One run, followed to its end."""

    def __init__(self, call: CallTool, screen: Shows) -> None:
        self._call = call
        self.screen = screen
        self.run_id = ""
        # Somebody else's run of the same question was found and joined.
        self.joined = False

    async def follow(self, tool: str, arguments: Mapping[str, Any]) -> Any:
        """Start a run and show it until it has finished; the tool's answer."""
        import anyio

        result = await self._call(tool, {**arguments, "wait_seconds": 0})
        if not result.is_error:
            self.run_id = result.structured_content["run_id"]
            self.joined = result.structured_content.get("replayed", False)
        while not result.is_error and result.structured_content["status"] == "running":
            self.screen.draw(result.structured_content)
            result = await self._call("run", {"run_id": self.run_id, "wait_seconds": _LOOK_EVERY_SECONDS})
        for _ in range(_LOOKS_FOR_COST):
            if result.is_error or not _lacks_cost(result.structured_content):
                break
            result = await self._call("run", {"run_id": self.run_id})
            await anyio.sleep(_LOOK_EVERY_SECONDS)
        if not result.is_error:
            self.screen.draw(result.structured_content)
        return result


def _lacks_cost(answer: Mapping[str, Any]) -> bool:
    """Whether the cost of a run that was cut off may still be learnt: upstream knows it in a moment."""
    return answer["status"] != "completed" and answer["cost_usd"] is None and bool(answer.get("generation_id"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the picture: whose it is, how it goes, and in which words."""

    name: str
    tone: str
    doing: str
    detail: str = ""
    # Shown whole or not at all.
    last: str = ""

    @property
    def words(self) -> str:
        """How it goes."""
        return " · ".join(part for part in (self.doing, self.detail, self.last) if part)

    @property
    def short(self) -> str:
        """The same without its last words."""
        return " · ".join(part for part in (self.doing, self.detail) if part)


class Screen:
    """Where a run is drawn: stderr by default, so that stdout holds the result alone."""

    def __init__(self, label: str = "", stream: TextIO | None = None) -> None:
        self._label = f"{label} " if label else ""
        self._stream = stream or sys.stderr
        self._redraws = can_redraw(self._stream)
        self._standing: list[str] = []
        self._said: dict[int, str] = {}
        self._settled: dict[int, float] = {}
        self._turn = 0

    def draw(self, answer: Mapping[str, Any]) -> None:
        """Draw a run as it stands."""
        lines = list(lines_of(answer, self._settled))
        if self._redraws:
            self._write(self._redrawn(lines, last=answer["status"] != "running"))
        else:
            self._write("".join(f"{line}\n" for line in self._appended(lines)))

    def say(self, words: str) -> None:
        """One line that stays, above what is drawn next."""
        self._standing = []
        # A terminal may have echoed ^C there.
        start = "\r\x1b[2K" if self._redraws else ""
        lines = wrapped(words, self._stream, less=width(self._label)).split("\n")
        self._write(start + "".join(f"{self._label}{line}".rstrip() + "\n" for line in lines))

    def _write(self, text: str) -> None:
        try:
            emit(text, self._stream, end="")
        except OSError:
            # The terminal is gone; the run goes on all the same.
            let_go(self._stream)

    def _redrawn(self, lines: list[Line], *, last: bool) -> str:
        columns, rows = size(self._stream)
        # A window made narrower has broken the lines that stand there.
        above = sum(max(1, -(-width(line) // columns)) for line in self._standing)
        self._turn += 1
        room = columns - 3 - width(self._label)
        longest = max(width(_name(line, room)) for line in lines)
        shown = [row for line in lines for row in self._rows(line, room, longest)]
        if not last:
            shown = shown[-max(1, rows - 1) :]
        self._standing = [f"{self._label}{mark} {text}" for mark, text, _ in shown]
        drawn = "".join(
            f"\x1b[2K{self._label}{tinted(mark, tone, self._stream)} "
            f"{tinted(text, tone if tone == 'quiet' else '', self._stream)}\n"
            for mark, text, tone in shown
        )
        back = f"\x1b[{above}F" if above else "\r"
        return f"{back}{drawn}\x1b[J"

    def _appended(self, lines: list[Line]) -> Iterator[str]:
        for place, line in enumerate(lines):
            if self._said.get(place) == line.doing or line.tone == "quiet":
                continue
            self._said[place] = line.doing
            mark = "…" if line.tone == "busy" else _MARKS[line.tone]
            yield f"{self._label}{mark} {line.name} {fitted(line.words, 200)}"

    def _rows(self, line: Line, room: int, longest: int) -> Iterator[tuple[str, str, str]]:
        """A line as it stands in so many columns: its words below its name where both have no room in one."""
        marks = _MARKS[line.tone]
        mark, tone = marks[self._turn % len(marks)], "quiet" if line.tone in ("busy", "quiet") else line.tone
        name = _name(line, room)
        for words in (line.words, line.short):
            if longest + 2 + width(whole := fitted(words, _LONGEST)) <= room:
                yield mark, f"{padded(name, longest)}  {whole}", tone
                return
        yield mark, fitted(name, room), tone
        for part in parted(fitted(line.short, _LONGEST), room):
            yield " ", fitted(part, room), tone


def _name(line: Line, room: int) -> str:
    """What a narrow window must show of a model is its own name, not its maker's."""
    return line.name.rpartition("/")[2] if room < _NARROW else line.name


def lines_of(answer: Mapping[str, Any], settled: dict[int, float]) -> Iterator[Line]:
    """The picture of a run; `settled` remembers when each panelist was first seen to have ended."""
    if "rows" in answer:
        yield from (_rows(answer["rows"], answer["status"]), _run(answer))
        return
    panel: list[Mapping[str, Any]] = answer.get("panel", [])
    elapsed: float = answer["elapsed_seconds"]
    for place, row in enumerate(panel):
        if row["status"] != "pending":
            settled.setdefault(place, elapsed)
        yield _panelist(row, settled.get(place, elapsed), answer["status"])
    is_fusion = "answer" in answer
    if is_fusion and not panel and answer["status"] == "running":
        yield Line("panel", "busy", "being asked")
    elif is_fusion:
        yield _analyst(answer, panel_is_done=all(row["status"] != "pending" for row in panel))
    yield _writer(answer, alone=not is_fusion)
    yield _run(answer)


def _rows(count: Mapping[str, int], status: str) -> Line:
    """A bar; where nothing can be redrawn, a line for each tenth."""
    done = count["answered"] + count["failed"]
    tenths = done * _BAR // max(count["total"], 1)
    bar = "#" * tenths + "-" * (_BAR - tenths)
    failed = f", {count['failed']:,} failed" if count["failed"] else ""
    counts = f"[{bar}] {count['answered']:,} of {count['total']:,} answered{failed}"
    tone = "busy" if status == "running" else "good" if count["answered"] == count["total"] else "warn"
    return Line("rows", tone, f"{done * 10 // max(count['total'], 1) * 10} %", counts)


def _panelist(row: Mapping[str, Any], seconds: float, status: str) -> Line:
    chars = f"{row['chars']:,} chars" if row["chars"] else ""
    if row["status"] != "answered" and status in _STOPPED and not row.get("status_code"):
        return Line(row["model"], "warn", "stopped", chars)
    if row["status"] == "failed":
        code = f"{row['status_code']} " if row.get("status_code") else ""
        return Line(row["model"], "bad", "failed", f"{code}{row.get('error', '')}".strip())
    if row["status"] == "answered":
        return Line(row["model"], "good", "answered", f"{chars} · {seconds:.0f} s")
    return Line(row["model"], "busy", "writing" if row["chars"] else "thinking", chars)


def _analyst(answer: Mapping[str, Any], *, panel_is_done: bool) -> Line:
    if answer.get("analysis"):
        return Line("analyst", "good", "compared the answers", answer.get("analyst_model") or "")
    if answer["status"] == "running":
        return Line("analyst", "busy" if panel_is_done else "quiet", "comparing" if panel_is_done else "waiting")
    if answer["status"] in _STOPPED:
        return Line("analyst", "warn", "stopped")
    return Line("analyst", "bad", "no analysis", answer.get("failure_reason") or "")


def _writer(answer: Mapping[str, Any], *, alone: bool) -> Line:
    written = answer.get("answer") or answer.get("text") or ""
    name = "model" if alone else "writer"
    chars = f"{answer.get('model') or ''} · {len(written):,} chars".removeprefix(" · ")
    if answer["status"] == "completed":
        return Line(name, "good", "answered", chars)
    if answer["status"] in _STOPPED:
        return Line(name, "warn", "stopped", chars if written else "")
    if answer["status"] != "running":
        return Line(name, "bad", "no complete answer", chars if written else "")
    if written:
        return Line(name, "busy", "writing", chars)
    begun = alone or bool(answer.get("analysis"))
    return Line(name, "busy" if begun else "quiet", "thinking" if begun else "waiting")


def _run(answer: Mapping[str, Any]) -> Line:
    seconds = f"{answer['elapsed_seconds']:.0f} s"
    estimate: Mapping[str, Any] = answer.get("cost_estimate_usd") or {}
    if answer["status"] == "running":
        cost = f" · estimated ${estimate['low']:.2f} to ${estimate['high']:.2f}" if "low" in estimate else ""
        return Line("run", "busy", "running", f"{seconds}{cost}", answer["run_id"])
    outcome: str = "stopped" if answer["status"] == "cancelled" else answer.get("outcome") or answer["status"]
    return Line(
        "run", _ENDINGS[answer["status"]], outcome.replace("_", " "), f"{seconds} · {_cost(answer)}", answer["run_id"]
    )


def _cost(answer: Mapping[str, Any]) -> str:
    """What it cost, as far as known: of a run that was cut off, nothing is not known to be all."""
    cost = answer.get("cost_usd")
    return "cost unknown" if cost is None or (not cost and answer["status"] in _STOPPED) else f"${cost:.4f}"
