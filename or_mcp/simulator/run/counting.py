"""How many tokens things have here."""

import base64
import binascii
import struct
from collections.abc import Callable
from dataclasses import dataclass

from or_mcp.simulator.run.texts import token_count
from or_mcp.simulator.wire import JsonObject, as_object

# An ASCII character has one UTF-8 byte, and no token has less than one byte: three are enough for any writing system.
_MOST_TOKENS_A_CHARACTER = 3
TOKENS_A_SECOND = 32
# Sound that cannot be measured is taken for compressed sound of 128 kbit/s.
_BYTES_A_SECOND = 16_000
_IMAGE, _DETAILED_IMAGE, _VIDEO, _FILE = 258, 1_600, 1_200, 400

PART_KINDS = {
    "image_url": "image",
    "input_image": "image",
    "image": "image",
    "input_file": "file",
    "file": "file",
    "document": "file",
    "input_audio": "audio",
    "video_url": "video",
    "input_video": "video",
}


@dataclass(frozen=True, slots=True)
class Counter:
    """This simulator's tokenizer: one token for four characters, or what a rule says."""

    per_char: float | None = None
    greedy: bool = False

    def text(self, text: str) -> int:
        """The tokens of a text."""
        if self.per_char is None:
            return token_count(text)
        wide = 0 if text.isascii() else sum(min(len(char.encode()), _MOST_TOKENS_A_CHARACTER) - 1 for char in text)
        return -int(-(len(text) + wide) * self.per_char // 1)

    def part(self, part: JsonObject) -> int:
        """The tokens of a picture, a sound, a film or a document in a message."""
        make: dict[str, Callable[[], int]] = {
            "image": lambda: _DETAILED_IMAGE if self.greedy else _IMAGE,
            "audio": lambda: seconds_of(part) * TOKENS_A_SECOND,
            "video": lambda: _VIDEO,
            "file": lambda: self._file(part),
        }
        return make[PART_KINDS[str(part.get("type"))]]()

    def _file(self, part: JsonObject) -> int:
        return max(_FILE, self.text("x" * len(_data_of(part)))) if self.greedy else _FILE


def seconds_of(part: JsonObject) -> int:
    """How long a sound is, at least one second."""
    return measured_seconds(_data_of(part))


def measured_seconds(sound: bytes) -> int:
    """How long these bytes sound: exactly for WAV, else by a usual rate."""
    rate, length = _BYTES_A_SECOND, len(sound)
    found = sound.find(b"data", 12)
    if sound[:4] == b"RIFF" and sound[8:12] == b"WAVE" and 32 <= found <= len(sound) - 8:
        rate = struct.unpack("<I", sound[28:32])[0]
        length = min(struct.unpack("<I", sound[found + 4 : found + 8])[0], len(sound) - found - 8)
    return max(-(-length // max(rate, 1)), 1)


def _data_of(part: JsonObject) -> bytes:
    detail = as_object(part.get("input_audio")) or as_object(part.get("file")) or as_object(part.get("source")) or part
    text = next((detail[name] for name in ("data", "file_data") if isinstance(detail.get(name), str)), "")
    try:
        return base64.b64decode(text.rpartition(",")[2])
    except (binascii.Error, ValueError):
        return b""
