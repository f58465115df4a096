"""What a file is, by its content: its name is never asked."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, getincrementaldecoder
from dataclasses import dataclass
from typing import Literal

PartKind = Literal["image", "file", "audio", "text"]

ACCEPTED = "PNG, JPEG, GIF, WebP, PDF, WAV, MP3, M4A, AAC, FLAC, OGG, AIFF, and text in UTF-8"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is to a model; `format` is how upstream spells an audio format."""

    part: PartKind
    media_type: str
    format: str = ""


TEXT = Kind("text", "text/plain")
PDF = Kind("file", "application/pdf")
MP3 = Kind("audio", "audio/mpeg", "mp3")
AAC = Kind("audio", "audio/aac", "aac")
M4A = Kind("audio", "audio/mp4", "m4a")

# Where a signature starts, the signature, what it stands for.
_SIGNATURES: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"%PDF-", PDF),
    (0, b"\x89PNG\r\n\x1a\n", Kind("image", "image/png")),
    (0, b"\xff\xd8\xff", Kind("image", "image/jpeg")),
    (0, b"GIF87a", Kind("image", "image/gif")),
    (0, b"GIF89a", Kind("image", "image/gif")),
    (0, b"ID3", MP3),
    (0, b"fLaC", Kind("audio", "audio/flac", "flac")),
    (0, b"OggS", Kind("audio", "audio/ogg", "ogg")),
)
# Containers: their mark, and at byte 8 the mark of what is inside.
_CONTAINERS: tuple[tuple[int, bytes, bytes, Kind], ...] = (
    (0, b"RIFF", b"WEBP", Kind("image", "image/webp")),
    (0, b"RIFF", b"WAVE", Kind("audio", "audio/wav", "wav")),
    (0, b"FORM", b"AIFF", Kind("audio", "audio/aiff", "aiff")),
    (0, b"FORM", b"AIFC", Kind("audio", "audio/aiff", "aiff")),
    (4, b"ftyp", b"M4A ", M4A),
    (4, b"ftyp", b"M4B ", M4A),
)
_HINTS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "a ZIP or Office file: export it as PDF or text"),
    (0, b"\xff\xfe", "text in UTF-16: save it as UTF-8"),
    (0, b"\xfe\xff", "text in UTF-16: save it as UTF-8"),
    (0, b"BM", "a bitmap: save it as PNG"),
    (0, b"II*\x00", "a TIFF image: save it as PNG"),
    (0, b"MM\x00*", "a TIFF image: save it as PNG"),
    (4, b"ftyphei", "a HEIC image: save it as JPEG"),
    (4, b"ftypavif", "an AVIF image: save it as PNG"),
    (4, b"ftyp", "a video: save its sound as M4A, or a frame as PNG"),
)
# What no text has: the control characters other than white space, backspace, bell and escape.
_HEAD = 4096
_BINARY = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f]")


def kind_of(data: bytes) -> Kind | None:
    """What this is, or None if it is nothing that can be attached.

    What reads as text is text even where it begins like an image: else a few letters would keep it from being searched
    for secrets. Only a PDF may be written in plain ASCII.
    """
    if not data.startswith(b"%PDF-") and as_text(data) is not None:
        return TEXT
    for start, signature, kind in _SIGNATURES:
        if data.startswith(signature, start):
            return kind
    for start, container, inside, kind in _CONTAINERS:
        if data.startswith(container, start) and data.startswith(inside, 8):
            return kind
    return _audio_frame(data[:4])


def as_text(data: bytes) -> str | None:
    """The text, if it is text in UTF-8."""
    try:
        # Whatever cannot be read is copied whole into the error: what is no text shows so at its beginning.
        getincrementaldecoder("utf-8")().decode(data[:_HEAD])
        # The codec that takes the mark away copies everything, too.
        text = data.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError:
        return None
    return None if _BINARY.search(text) else text


def hint(data: bytes) -> str:
    """What something refused seems to be, and what to make of it; empty if unknown."""
    return next((words for start, mark, words in _HINTS if data.startswith(mark, start)), "")


def _audio_frame(header: bytes) -> Kind | None:
    """MPEG audio without a tag: eleven set bits, then a layer, a bit rate and a sampling rate that exist."""
    if len(header) < 4 or header[0] != 0xFF or header[1] < 0xE0:
        return None
    layer, bit_rate, sampling_rate = header[1] >> 1 & 3, header[2] >> 4, header[2] >> 2 & 3
    # Layer 1 is MPEG layer III. Bit rates 0 and 15 and sampling rate 3 stand for none.
    if layer == 1 and bit_rate not in (0, 15) and sampling_rate != 3:
        return MP3
    # Layer 0 is ADTS, whose sync word has twelve bits, and whose sampling rates end at 12.
    if layer == 0 and header[1] >= 0xF0 and header[2] >> 2 & 15 < 13:
        return AAC
    return None
