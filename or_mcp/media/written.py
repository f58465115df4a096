"""A transcript as a file: plain text, subtitles, or JSON."""

from __future__ import annotations

import json

from or_mcp.files.measured import Measured
from or_mcp.media.result import MediaResult, Part

FORMS = ("text", "srt", "json")
# What is longer is a file too.
LONG_TEXT = 4_000

_KINDS = {
    "text": Measured("text/plain", "txt"),
    "srt": Measured("application/x-subrip", "srt"),
    "json": Measured("application/json", "json"),
}


def written(result: MediaResult, form: str) -> tuple[str, Measured]:
    """The whole transcript in a form."""
    match form:
        case "srt":
            text = "\n".join(f"{n}\n{_subtitle(part)}\n" for n, part in enumerate(result.segments, 1))
        case "json":
            text = json.dumps(_as_json(result), ensure_ascii=False, indent=1)
        case _:
            text = _read_aloud(result)
    return text, _KINDS[form]


def _as_json(result: MediaResult) -> dict[str, object]:
    rows = [{"start": p.start, "end": p.end, "speaker": p.speaker, "text": p.text} for p in result.segments]
    return {"text": result.text, "language": result.language, "segments": rows}


def _read_aloud(result: MediaResult) -> str:
    """Who says what, where that is known."""
    if not any(part.speaker for part in result.segments):
        return result.text
    return "\n".join(f"{part.speaker or '?'}: {part.text}" for part in result.segments)


def _subtitle(part: Part) -> str:
    said = f"{part.speaker}: {part.text}" if part.speaker else part.text
    return f"{_clock(part.start)} --> {_clock(part.end)}\n{said}"


def _clock(seconds: float) -> str:
    whole, thousandths = divmod(round(seconds * 1_000), 1_000)
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02},{thousandths:03}"
