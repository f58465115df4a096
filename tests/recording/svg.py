"""What a terminal showed, as a picture that moves: one text for each thing a line said, visible while it said it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from or_mcp.cli.terminal import width
from tests.recording.picture import Cell

Screenful = Sequence[Sequence[Cell]]

_COLUMN, _ROW, _MARGIN, _TOP = 8.4, 20, 18, 44
HOLD_SECONDS = 6.0
_INK = {"": "#d7dae0", "2": "#8a919c", "1": "#ffffff", "31": "#ff8f87", "32": "#7fd6a1", "33": "#f0c674"}
_STYLE = """\
text{font:14px ui-monospace,"SF Mono",Menlo,"JetBrains Mono",Consolas,monospace;white-space:pre}
g{visibility:hidden}g.still{visibility:visible}
@media (prefers-reduced-motion:no-preference){g.still{visibility:hidden}}"""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stood on the terminal from a moment on."""

    second: float
    rows: Screenful


def animated(frames: Sequence[Frame], still: Frame, *, columns: int, rows: int, title: str) -> str:
    """The frames as one SVG, which shows `still` where nothing may move."""
    ending = frames[-1].second + HOLD_SECONDS
    texts: list[str] = []
    moments: dict[tuple[float, float], str] = {}
    for row in range(rows):
        for start, end, cells in _spans(frames, row, ending):
            key = moments.setdefault((start, end), f"k{len(moments)}")
            stands = " class='still'" if start <= still.second < end else ""
            texts.append(f"<g{stands} style='animation-name:{key}'>{_line(cells, row)}</g>")
    wide, high = columns * _COLUMN + 2 * _MARGIN, rows * _ROW + _TOP + _MARGIN
    keyframes = "".join(_keyframes(key, start, end, ending) for (start, end), key in moments.items())
    moving = f"@media (prefers-reduced-motion:no-preference){{g{{animation:{ending:.1f}s step-end infinite}}}}"
    dots = "".join(f"<circle cx='{_MARGIN + 6 + 20 * n}' cy='20' r='6' fill='#3b4048'/>" for n in range(3))
    size, name = f"viewBox='0 0 {wide:.0f} {high}'", escape(title)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' {size} role='img' aria-label='{name}'><title>{name}</title>"
        f"<style>{_STYLE}{moving}{keyframes}</style>"
        f"<rect width='100%' height='100%' rx='10' fill='#17191d'/>{dots}{''.join(texts)}</svg>\n"
    )


def _spans(frames: Sequence[Frame], row: int, ending: float) -> Iterator[tuple[float, float, Sequence[Cell]]]:
    """What a row said, and from when to when."""
    said = [(frame.second, tuple(frame.rows[row]) if row < len(frame.rows) else ()) for frame in frames]
    changes = [next(group) for _, group in groupby(said, key=lambda each: each[1])]
    ends = [second for second, _ in changes[1:]] + [ending]
    return (
        (start, end, cells)
        for (start, cells), end in zip(changes, ends, strict=True)
        if any(cell.character.strip() for cell in cells)
    )


def _keyframes(name: str, start: float, end: float, ending: float) -> str:
    shown, gone = f"{100 * start / ending:.2f}%", f"{100 * end / ending:.2f}%"
    hidden = "" if start == 0 else "0%{visibility:hidden}"
    after = "" if end == ending else f"{gone}{{visibility:hidden}}"
    return f"@keyframes {name}{{{hidden}{shown}{{visibility:visible}}{after}}}"


def _line(cells: Sequence[Cell], row: int) -> str:
    runs, column = "", 0
    for tone, group in groupby(cells, key=lambda cell: cell.tone):
        words = "".join(cell.character for cell in group)
        taken, kept = width(words), words.rstrip()
        if kept:
            weight = " font-weight='700'" if tone == "1" else ""
            # The length is given so that columns stand under each other in any font.
            runs += (
                f"<text x='{_MARGIN + column * _COLUMN:.1f}' y='{_TOP + 14 + row * _ROW}' fill='{_INK[tone]}'{weight} "
                f"textLength='{width(kept) * _COLUMN:.1f}' lengthAdjust='spacingAndGlyphs'>{escape(kept)}</text>"
            )
        column += taken
    return runs
