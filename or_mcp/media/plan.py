"""What somebody wants made, checked, as it is sent to the path of its kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from or_mcp.media.kinds import Kind
from or_mcp.media.written import FORMS
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.openrouter.wire.media import (
    ImageRequest,
    MediaProvider,
    Sound,
    SpeechRequest,
    TranscriptRequest,
    VideoModel,
    VideoRequest,
)

# Most models film so long; what a model does not tell is not asked of it.
_USUAL_SECONDS, _USUAL_HEIGHT = 5, "720p"
_PIXELS = re.compile(r"\d{2,5}x\d{2,5}")
_FORMATS: dict[Kind, tuple[str, ...]] = {
    "image": ("png", "jpeg", "webp", "svg"),
    "speech": ("wav", "mp3"),
    "video": ("mp4",),
    "transcript": FORMS,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller chose. `images` are references as data or https URLs; `sound` is base64, with its format."""

    kind: Kind
    model: str
    prompt: str = ""
    count: int = 1
    size: str = ""
    aspect_ratio: str = ""
    seconds: int | None = None
    voice: str = ""
    format: str = ""
    seed: int | None = None
    images: tuple[str, ...] = ()
    sound: str = field(default="", repr=False)
    sound_format: str = ""

    @property
    def form(self) -> str:
        """In which form it comes."""
        return self.format or _FORMATS[self.kind][0]


def check(wish: Wish, given: Sequence[str]) -> None:
    """Refuse what a kind cannot have; `given` are the arguments that were.

    Raises:
        InvalidRequest: It says which argument, and which kind takes it.
    """
    takes: dict[Kind, frozenset[str]] = {
        "image": frozenset({"count", "size", "aspect_ratio", "seed", "attachments", "prompt", "format"}),
        "speech": frozenset({"voice", "format", "prompt"}),
        "video": frozenset({"size", "aspect_ratio", "seconds", "seed", "attachments", "prompt", "format"}),
        "transcript": frozenset({"attachments", "format"}),
    }
    for name in given:
        if name not in takes[wish.kind]:
            kinds = ", ".join(kind for kind, names in takes.items() if name in names)
            raise InvalidRequest(f"{name} was given with kind {wish.kind}, which has none; kinds with it: {kinds}")
    if wish.kind != "transcript" and not wish.prompt:
        raise InvalidRequest(f"prompt is missing; kind {wish.kind} takes what to make of it")
    if wish.kind == "transcript" and not wish.sound:
        raise InvalidRequest("attachments is missing; kind transcript takes the path of one sound file")
    if wish.format and wish.format not in _FORMATS[wish.kind]:
        raise InvalidRequest(f"format was {wish.format!r}; kind {wish.kind} takes {', '.join(_FORMATS[wish.kind])}")


def image_request(wish: Wish, provider: MediaProvider | None) -> ImageRequest:
    """Pictures."""
    return ImageRequest(
        model=wish.model,
        prompt=wish.prompt,
        n=wish.count,
        size=wish.size or None,
        aspect_ratio=wish.aspect_ratio or None,
        output_format=wish.format or None,
        seed=wish.seed,
        input_references=_references(wish),
        provider=provider,
    )


def speech_request(wish: Wish, provider: MediaProvider | None) -> SpeechRequest:
    """A text as sound. Every model gives raw samples, and only some anything else."""
    form = "mp3" if wish.form == "mp3" else "pcm"
    return SpeechRequest(
        model=wish.model, input=wish.prompt, voice=wish.voice or None, response_format=form, provider=provider
    )


def transcript_request(wish: Wish, provider: MediaProvider | None, *, speakers: bool) -> TranscriptRequest:
    """A sound as text, in detail; who speaks is asked only of models that can tell."""
    return TranscriptRequest(
        model=wish.model,
        input_audio=Sound(data=wish.sound, format=wish.sound_format),
        response_format="verbose_json",
        diarize=True if speakers else None,
        provider=provider,
    )


def settle(wish: Wish, model: VideoModel | None) -> tuple[int, str]:
    """How long a video is to be, and of which size: what is sent is what is set aside.

    Raises:
        InvalidRequest: The model makes none of this length or shape.
    """
    lengths = model.supported_durations if model else None
    if wish.seconds is not None and lengths and wish.seconds not in lengths:
        raise InvalidRequest(
            f"seconds was {wish.seconds}; {wish.model} makes videos of {', '.join(map(str, sorted(lengths)))} s"
        )
    ratios = model.supported_aspect_ratios if model else None
    if wish.aspect_ratio and ratios and wish.aspect_ratio not in ratios:
        raise InvalidRequest(f"aspect_ratio was {wish.aspect_ratio!r}; {wish.model} takes {', '.join(ratios)}")
    heights = (model.supported_resolutions if model else None) or ()
    size = wish.size or (_USUAL_HEIGHT if _USUAL_HEIGHT in heights else next(iter(heights), ""))
    return wish.seconds or (min(lengths) if lengths else _USUAL_SECONDS), size


def video_request(wish: Wish, seconds: int, size: str) -> VideoRequest:
    """A video."""
    is_exact = _PIXELS.fullmatch(size.lower()) is not None
    return VideoRequest(
        model=wish.model,
        prompt=wish.prompt,
        duration=seconds,
        size=size.lower() if is_exact else None,
        resolution=None if is_exact else size or None,
        aspect_ratio=wish.aspect_ratio or None,
        seed=wish.seed,
        input_references=_references(wish),
    )


def _references(wish: Wish) -> tuple[dict[str, Any], ...] | None:
    return tuple({"type": "image_url", "image_url": {"url": url}} for url in wish.images) or None
