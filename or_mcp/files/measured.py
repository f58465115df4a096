"""What a file is, by its content, and how large or how long: as far as its head tells, and never by its name."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Of raw sound, as upstream's models make it: 16 bit, one channel.
PCM_RATE = 24_000
_PCM = re.compile(r"rate=(\d{4,6})")
_SVG = re.compile(rb"<svg[^>]*?\swidth=[\"'](\d{1,5})(?:px)?[\"'][^>]*?\sheight=[\"'](\d{1,5})", re.DOTALL)
# kbit/s of MPEG 1 and of MPEG 2, layer III; samples a second by version.
_BIT_RATES = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
)
_MP3_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_BOXES = frozenset({b"moov", b"trak"})


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found; None where the head does not tell."""

    mime: str
    extension: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


UNKNOWN = Measured("application/octet-stream", "bin")
_Read = Callable[[bytes], Measured]


def measure(data: bytes) -> Measured:
    """What this is."""
    for start, mark, read in _KINDS:
        if data.startswith(mark, start):
            try:
                return read(data)
            except (struct.error, IndexError, ZeroDivisionError):
                # Broken, or cut off: what it is may still be right.
                return read(b"")
    return _svg(data) if b"<svg" in data[:1000] else UNKNOWN


def as_wav(sound: bytes, content_type: str = "") -> bytes:
    """Raw sound with a head that says what it is; what has a head already stays as it is."""
    if measure(sound) is not UNKNOWN:
        return sound
    found = _PCM.search(content_type)
    rate = int(found[1]) if found else PCM_RATE
    sound = sound[: len(sound) // 2 * 2]
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16)
    body = b"WAVE" + form + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _png(data: bytes) -> Measured:
    return Measured("image/png", "png", *(struct.unpack(">II", data[16:24]) if data else ()))


def _gif(data: bytes) -> Measured:
    return Measured("image/gif", "gif", *(struct.unpack("<HH", data[6:10]) if data else ()))


def _jpeg(data: bytes) -> Measured:
    at = 2
    while 0 < at < len(data) - 9:
        kind, size = data[at + 1], int(struct.unpack(">H", data[at + 2 : at + 4])[0])
        # The frame's head; 0xC4, 0xC8 and 0xCC are tables.
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return Measured("image/jpeg", "jpg", width, height)
        at += 2 + size
    return Measured("image/jpeg", "jpg")


def _riff(data: bytes) -> Measured:
    return _webp(data) if data[8:12] == b"WEBP" else _wav(data) if data[8:12] == b"WAVE" else UNKNOWN


def _webp(data: bytes) -> Measured:
    size: tuple[int, int] | tuple[()] = ()
    match data[12:16]:
        case b"VP8X":
            size = int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            size = int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
        case _:
            pass
    return Measured("image/webp", "webp", *size)


def _wav(data: bytes) -> Measured:
    at, rate = 12, 0
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int(struct.unpack("<I", data[at + 4 : at + 8])[0])
        if kind == b"fmt ":
            rate = int(struct.unpack("<I", data[at + 16 : at + 20])[0])
        if kind == b"data" and rate:
            # What is streamed says more of its length than there is.
            return Measured("audio/wav", "wav", seconds=round(min(size, len(data) - at - 8) / rate, 2))
        at += 8 + size + size % 2
    return Measured("audio/wav", "wav")


def _mp3(data: bytes) -> Measured:
    return Measured("audio/mpeg", "mp3", seconds=round(sum(_frames(data)), 2) or None)


def _frames(data: bytes) -> Iterator[float]:
    """How long each frame is heard."""
    tag = data[6:10]
    at = 10 + (tag[0] << 21 | tag[1] << 14 | tag[2] << 7 | tag[3]) if data.startswith(b"ID3") else 0
    while at + 4 <= len(data) and data[at] == 0xFF:
        version, rates = data[at + 1] >> 3 & 3, _MP3_RATES.get(data[at + 1] >> 3 & 3)
        place = data[at + 2] >> 2 & 3
        bits = _BIT_RATES[version != 3][data[at + 2] >> 4]
        if rates is None or place == 3 or not bits:
            return
        samples = 1_152 if version == 3 else 576
        yield samples / rates[place]
        at += samples // 8 * bits * 1_000 // rates[place] + (data[at + 2] >> 1 & 1)


def _flac(data: bytes) -> Measured:
    bits = int.from_bytes(data[18:26], "big")
    rate, samples = bits >> 44, bits & 0xF_FFFF_FFFF
    return Measured("audio/flac", "flac", seconds=round(samples / rate, 2) if rate else None)


def _mp4(data: bytes) -> Measured:
    seconds, width, height = None, 0, 0
    for kind, body in _boxes(data):
        wide = body[:1] == b"\1"
        if kind == b"mvhd":
            scale, length = struct.unpack(">IQ" if wide else ">II", body[20:32] if wide else body[12:20])
            seconds = round(length / scale, 2) if scale else None
        if kind == b"tkhd":
            across, down = struct.unpack(">II", body[88:96] if wide else body[76:84])
            width, height = max(width, across >> 16), max(height, down >> 16)
    sound = data[8:12] in (b"M4A ", b"M4B ")
    kind = ("audio/mp4", "m4a") if sound else ("video/mp4", "mp4")
    return Measured(*kind, width or None, height or None, seconds)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every box that says how large or how long, with its body."""
    at = 0
    while at + 8 <= len(data):
        size, kind = int(struct.unpack(">I", data[at : at + 4])[0]), data[at + 4 : at + 8]
        head = 16 if size == 1 else 8
        size = int(struct.unpack(">Q", data[at + 8 : at + 16])[0]) if size == 1 else size or len(data) - at
        if size < head:
            return
        if kind in _BOXES:
            yield from _boxes(data[at + head : at + size])
        elif kind in (b"mvhd", b"tkhd"):
            yield kind, data[at + head : at + size]
        at += size


def _svg(data: bytes) -> Measured:
    found = _SVG.search(data[:4_000])
    return Measured("image/svg+xml", "svg", *(map(int, found.groups()) if found else ()))


def _plain(mime: str, extension: str) -> _Read:
    return lambda _: Measured(mime, extension)


_KINDS: tuple[tuple[int, bytes, _Read], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", _png),
    (0, b"\xff\xd8\xff", _jpeg),
    (0, b"GIF8", _gif),
    (0, b"RIFF", _riff),
    (0, b"ID3", _mp3),
    *((0, bytes((0xFF, second)), _mp3) for second in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2)),
    (0, b"fLaC", _flac),
    (0, b"OggS", _plain("audio/ogg", "ogg")),
    (4, b"ftyp", _mp4),
    (0, b"\x1a\x45\xdf\xa3", _plain("video/webm", "webm")),
)
