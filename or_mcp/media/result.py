"""What is kept of something that was made: everything but its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pydantic import TypeAdapter

from or_mcp.files.made import MadeFile
from or_mcp.media.kinds import Kind
from or_mcp.openrouter.wire.lenient import Maybe
from or_mcp.runs.record import RunRecord


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a transcript: from when to when, who, what."""

    start: float
    end: float
    text: str
    speaker: Maybe[str] = None


@dataclass(frozen=True, slots=True)
class MediaUsage:
    """What was counted."""

    input_tokens: Maybe[int] = None
    output_tokens: Maybe[int] = None
    seconds: Maybe[float] = None


@dataclass(frozen=True, slots=True)
class MediaResult:
    """What came of it so far."""

    kind: Kind
    model: str
    wanted: int = 1
    files: tuple[MadeFile, ...] = ()
    text: str = ""
    segments: tuple[Part, ...] = ()
    language: str | None = None
    usage: MediaUsage | None = None
    provider_cost_usd: Decimal | None = None


RESULT: TypeAdapter[MediaResult] = TypeAdapter(MediaResult)


def result_of(record: RunRecord) -> MediaResult:
    """What a run holds."""
    if record.result:
        return RESULT.validate_json(record.result)
    return MediaResult(record.request.asked.get("kind", "image"), record.request.models[0])
