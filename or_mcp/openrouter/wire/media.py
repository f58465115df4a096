"""Pictures, speech, transcripts and videos: `/images`, `/audio/speech`, `/audio/transcriptions`, `/videos`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import Field

from or_mcp.openrouter.wire.lenient import Count, Lenient, Name, Number, Reply, Rows, Text
from or_mcp.openrouter.wire.money import Cost, Price
from or_mcp.openrouter.wire.request import Request
from or_mcp.openrouter.wire.sessions import SessionRequest
from or_mcp.openrouter.wire.usage import Usage


class MediaProvider(Request):
    """Which providers may serve it: pictures take lists of them, sound takes the policies, videos take neither."""

    only: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    data_collection: str | None = None
    zdr: bool | None = None


class ImageRequest(SessionRequest):
    """What is sent to `/images`."""

    model: str
    prompt: str
    n: int | None = None
    size: str | None = None
    aspect_ratio: str | None = None
    output_format: str | None = None
    seed: int | None = None
    input_references: tuple[dict[str, Any], ...] | None = None
    provider: MediaProvider | None = None


class DrawnImage(Reply):
    """One picture."""

    b64_json: str
    media_type: Lenient[Name] = None


class ImagesReply(Reply):
    """The pictures; providers may make fewer than were asked for."""

    data: Rows[DrawnImage] = ()
    usage: Lenient[Usage] = None


class ImagePrice(Reply):
    """One line of what an endpoint charges; a variant is a size or a quality."""

    billable: Name
    unit: Name
    cost_usd: Price = None
    variant: Lenient[Name] = None


class ImageEndpoint(Reply):
    """One provider's offer of one model that draws."""

    provider_name: Name = ""
    provider_slug: Lenient[Name] = None
    provider_tag: Lenient[Name] = None
    pricing: Rows[ImagePrice] = ()


class ImageEndpoints(Reply):
    """Who draws with a model, and for how much."""

    endpoints: Rows[ImageEndpoint] = ()


class SpeechRequest(SessionRequest):
    """What is sent to `/audio/speech`."""

    model: str
    input: str
    voice: str | None = None
    response_format: str | None = None
    provider: MediaProvider | None = None


class Sound(Request):
    """The sound to transcribe: its bytes in base64, or where they are."""

    data: str | None = None
    format: str | None = None
    url: str | None = None


class TranscriptRequest(SessionRequest):
    """What is sent to `/audio/transcriptions`."""

    model: str
    input_audio: Sound
    response_format: str | None = None
    diarize: bool | None = None
    provider: MediaProvider | None = None


class Segment(Reply):
    """A part of a transcript, and who says it where that is told."""

    start: Number = None
    end: Number = None
    text: Text = ""
    speaker: Lenient[int] = None
    speaker_label: Lenient[Name] = None


class SpokenWord(Reply):
    """One word, and who says it where that is told."""

    start: Number = None
    end: Number = None
    word: Text = ""
    speaker: Lenient[int] = None
    speaker_label: Lenient[Name] = None


class SoundUsage(Reply):
    """What a transcript took."""

    seconds: Number = None
    input_tokens: Count = None
    output_tokens: Count = None
    total_tokens: Count = None
    cost: Cost = None


class Transcript(Reply):
    """What was said."""

    text: str
    language: Lenient[Name] = None
    duration: Number = None
    segments: Rows[Segment] = ()
    words: Rows[SpokenWord] = ()
    usage: Lenient[SoundUsage] = None


class VideoRequest(SessionRequest):
    """What is sent to `/videos`."""

    model: str
    prompt: str
    duration: int | None = None
    resolution: str | None = None
    size: str | None = None
    aspect_ratio: str | None = None
    seed: int | None = None
    input_references: tuple[dict[str, Any], ...] | None = None


class VideoUsage(Reply):
    """What a video cost."""

    cost: Cost = None
    is_byok: Lenient[bool] = None


class VideoJob(Reply):
    """How a video stands. Of its addresses only their number counts: its bytes are asked for by its id."""

    id: Name
    status: Name = ""
    error: Lenient[Text] = None
    generation_id: Lenient[Name] = None
    expires_at: Number = None
    unsigned_urls: Rows[str] = ()
    urls: Rows[str] = ()
    usage: Lenient[VideoUsage] = None


class VideoModel(Reply):
    """A model that films: what it can, and the prices of it by names of their own."""

    id: Name
    canonical_slug: Lenient[Name] = None
    supported_durations: Lenient[tuple[int, ...]] = None
    supported_resolutions: Lenient[tuple[Name, ...]] = None
    supported_aspect_ratios: Lenient[tuple[Name, ...]] = None
    supported_sizes: Lenient[tuple[Name, ...]] = None
    pricing_skus: Lenient[dict[str, Decimal]] = Field(None)


class VideoModels(Reply):
    """Every model that films."""

    data: Rows[VideoModel] = ()
