"""A run shown live: one line a panelist, updating in a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TextIO

CallTool = Callable[[str, dict[str, Any]], Awaitable[Any]]

_LOOK_EVERY_SECONDS = 0.4
_MARKS = {"answered": "✓", "failed": "✗", "pending": "…"}


async def follow(call: CallTool, tool: str, arguments: Mapping[str, Any], show: Screen | None = None) -> Any:
    """Start a run and show it until it has finished; the tool's answer."""
    result = await call(tool, {**arguments, "wait_seconds": 0})
    screen = show or Screen()
    while not result.is_error and result.structured_content["status"] == "running":
        screen.draw(result.structured_content)
        run_id = result.structured_content["run_id"]
        result = await call("run", {"run_id": run_id, "wait_seconds": _LOOK_EVERY_SECONDS})
    if not result.is_error:
        screen.draw(result.structured_content)
    screen.close()
    return result


class Screen:
    """Where a run is drawn: stderr by default, so that stdout holds the result alone."""

    def __init__(self, label: str = "", stream: TextIO | None = None) -> None:
        self._label = f"{label} " if label else ""
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._drawn = 0
        self._said: dict[str, str] = {}

    def draw(self, told: Mapping[str, Any]) -> None:
        """Draw a run as it stands."""
        lines = list(_lines(told))
        if self._live:
            back = f"\x1b[{self._drawn}F" if self._drawn else ""
            text = "".join(f"\x1b[2K{self._label}{line}\n" for _, line in lines)
            print(f"{back}{text}\x1b[J", end="", file=self._stream, flush=True)
            self._drawn = len(lines)
            return
        for name, line in lines:
            state = line if name == "run" else line.rpartition("  ")[0]
            if self._said.get(name) != state and name != "run":
                print(f"{self._label}{line}", file=self._stream, flush=True)
            self._said[name] = state

    def close(self) -> None:
        """Leave what was drawn standing."""
        self._drawn = 0


def _lines(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    panel: list[Mapping[str, Any]] = told.get("panel", [])
    width = max((len(row["model"]) for row in panel), default=0)
    lines = [(row["model"], _panelist(row, width)) for row in panel]
    if told.get("analysis"):
        lines.append(("analyst", "✓ analysis"))
    written = told.get("answer", told.get("text", ""))
    if written:
        lines.append(("writer", f"{'✓' if told['status'] == 'completed' else '…'} {told.get('model', '')}  answer"))
    return [*lines, ("run", f"{told['status']}  {told['elapsed_seconds']:.0f} s")]


def _panelist(row: Mapping[str, Any], width: int) -> str:
    if row["status"] == "failed":
        code = f" {row['status_code']}" if row.get("status_code") else ""
        return f"✗ {row['model']:<{width}} {row.get('error', 'failed')}{code}  "
    doing = "answered" if row["status"] == "answered" else "writing" if row["chars"] else "thinking"
    return f"{_MARKS[row['status']]} {row['model']:<{width}} {doing}  {row['chars']:,} chars"
