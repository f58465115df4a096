"""Small valid files, made from a seed and labelled as simulated: pictures, sound and film."""

import base64
import math
import struct
import zlib
from array import array
from collections.abc import Callable

from or_mcp.simulator.run.shapes import Shape
from or_mcp.simulator.run.texts import dice_for

LABEL = "simulated"
_SIDE, _LONGEST_SIDE = 64, 1_024
RATE = 24_000
# Speech has about this many characters a second; longer sound than this is not made, only billed.
_CHARS_A_SECOND, _MOST_SECONDS = 15, 4
# MPEG-1 layer III, 128 kbit/s, 44.1 kHz: a frame of silence has 417 bytes.
_MP3_FRAME = bytes.fromhex("fffb9064") + bytes(413)
_MP3_FRAMES_A_SECOND = 38


def png(*about: object, width: int = _SIDE, height: int = _SIDE) -> bytes:
    """A picture: stripes in colours of their own for whatever it is about."""
    dice = dice_for("png", *about)
    colours = [bytes(dice.randrange(256) for _ in range(3)) for _ in range(4)]
    rows = b"".join(b"\0" + colours[row * 4 // height] * width for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"tEXt", b"Comment\0" + LABEL.encode()),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def svg(*about: object, width: int = _SIDE, height: int = _SIDE) -> bytes:
    """The same as a drawing."""
    colour, size = dice_for("svg", *about).randrange(0xFFFFFF), f'width="{width}" height="{height}"'
    shape = f'<rect {size} fill="#{colour:06x}"/><title>{LABEL}</title>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{shape}</svg>'.encode()


def jpeg(*about: object, width: int = _SIDE, height: int = _SIDE) -> bytes:
    """A picture of one colour, baseline JPEG: every block of 8 by 8 repeats the first."""
    dice = dice_for("jpeg", *about)
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes((1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0))
    # One code of each table is enough: lengths of 4 bits for the brightness of a block, and "nothing else follows".
    brightness = bytes((0, 0, 0, 12, *[0] * 12, *range(12)))
    nothing = bytes((1, *[0] * 15, 0))
    segments = [
        (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        (0xFE, LABEL.encode()),
        (0xDB, b"\0" + bytes([8] * 64)),
        (0xC0, frame),
        (0xC4, b"\0" + brightness),
        (0xC4, b"\x10" + nothing),
        (0xDA, bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0))),
    ]
    # 7 bits for how far a colour is from grey, and its end; afterwards 5 for "no difference" and its end.
    bits = "".join(f"0111{dice.getrandbits(7):07b}0" for _ in range(3))
    bits += "00000" * 3 * (-(-width // 8) * -(-height // 8) - 1)
    bits += "1" * (-len(bits) % 8)
    coded = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    body = b"".join(struct.pack(">BBH", 0xFF, kind, len(data) + 2) + data for kind, data in segments)
    return b"\xff\xd8" + body + coded + b"\xff\xd9"


def webp(*about: object, width: int = _SIDE, height: int = _SIDE) -> bytes:
    """The same as lossless WebP: each of the five prefix codes has one symbol, so that no pixel needs a bit."""
    dice = dice_for("webp", *about)
    fields = [(0x2F, 8), (width - 1, 14), (height - 1, 14), (0, 1), (0, 3), (0, 3)]
    for symbol in (*(dice.randrange(256) for _ in range(3)), 255):
        fields += [(0b101, 3), (symbol, 8)]
    # The code of distances: one symbol of one bit.
    fields += [(0b001, 3), (0, 1)]
    bits, at = 0, 0
    for value, size in fields:
        bits, at = bits | value << at, at + size
    extended = struct.pack("<I", 4) + b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    chunks = [(b"VP8X", extended), (b"VP8L", bits.to_bytes(-(-at // 8), "little")), (b"XMP ", LABEL.encode())]
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def sides(shape: Shape | None) -> dict[str, int]:
    """How a picture is told the shape that was asked for; no side is longer than files can stay small with."""
    drawn = shape and shape.within(_LONGEST_SIDE)
    return {"width": drawn.width, "height": drawn.height} if drawn else {}


PICTURES: dict[str, tuple[str, Callable[..., bytes]]] = {
    "png": ("image/png", png),
    "jpeg": ("image/jpeg", jpeg),
    "webp": ("image/webp", webp),
    "svg": ("image/svg+xml", svg),
}
"""What a picture can be sent as: its media type, and what draws it."""


def spoken_seconds(text: str) -> int:
    """How long it takes to say a text, at least a second."""
    return max(-(-len(text) // _CHARS_A_SECOND), 1)


def pcm(text: str, *about: object) -> bytes:
    """A text as sound: a tone of its own, 16 bit, mono, 24 kHz."""
    pitch = dice_for("pcm", *about, text).randrange(220, 880)
    count = min(spoken_seconds(text), _MOST_SECONDS) * RATE
    period = [round(6_000 * math.sin(2 * math.pi * step * pitch / RATE)) for step in range(RATE // 10)]
    samples = array("h", (period * (count // len(period) + 1))[:count])
    return samples.tobytes()


def wav(text: str, *about: object) -> bytes:
    """The same as a file that says what it is."""
    data = pcm(text, *about)
    note = b"LIST" + struct.pack("<I4s4sI", 22, b"INFO", b"ICMT", 10) + LABEL.encode() + b"\0"
    head = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, RATE * 2, 2, 16)
    body = b"WAVE" + head + b"data" + struct.pack("<I", len(data)) + data + note
    return b"RIFF" + struct.pack("<I", len(body)) + body


def mp3(text: str, *_about: object) -> bytes:
    """A text as silence of the right length, with a tag that says what it is."""
    comment = b"\0eng\0" + LABEL.encode()
    tag = b"COMM" + struct.pack(">I", len(comment)) + b"\0\0" + comment
    head = b"ID3\x03\0\0" + bytes((0, 0, len(tag) >> 7, len(tag) & 0x7F))
    return head + tag + _MP3_FRAME * (min(spoken_seconds(text), _MOST_SECONDS) * _MP3_FRAMES_A_SECOND)


SOUNDS: dict[str, Callable[..., bytes]] = {"pcm16": pcm, "wav": wav, "mp3": mp3}
"""What an answer can be spoken as."""


def mp4(*about: object) -> bytes:
    """A film of no pictures: the boxes every player looks for first."""
    header = struct.pack(">IIIIIIHH", 0, 0, 0, 1000, 1000, 0x10000, 0x100, 0) + bytes(8)
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000) + bytes(24) + struct.pack(">I", 1)
    told = LABEL.encode() + b" " + f"{dice_for('mp4', *about).getrandbits(32):08x}".encode()
    boxes = [(b"ftyp", b"isom\0\0\2\0isomiso2mp41"), (b"moov", _box(b"mvhd", header + matrix)), (b"free", told)]
    return b"".join(_box(kind, data) for kind, data in boxes) + _box(b"mdat", b"")


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + kind + data


_STARTS = {b"\x89PNG": "image/png", b"\xff\xd8": "image/jpeg", b"RIFF": "image/webp", b"<svg": "image/svg+xml"}


def data_url(picture: bytes) -> str:
    """A picture as it is sent within JSON."""
    kind = next(kind for start, kind in _STARTS.items() if picture.startswith(start))
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}"
