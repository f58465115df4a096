"""How much of a server's is read: of one message, and of what nobody asked for."""

from __future__ import annotations

# A picture in base64 fits; what is longer is no answer to a question.
LONGEST = 16 * 1024 * 1024
# A message with more parts than this takes seconds to read; and so many that nobody asked for are a flood.
_MOST_PARTS, _MOST_UNASKED = 400_000, 20_000
TOO_LARGE = "it sent a message that is too large to read"


def is_too_large(size: int, parts: int) -> bool:
    """Whether a message of so many bytes and parts is not read."""
    return size > LONGEST or parts > _MOST_PARTS


def parts_of(data: bytes) -> int:
    """How many parts some JSON has, at the most."""
    return sum(map(data.count, (b",", b"[", b"{")))


class Noise:
    """What a server says since it was last asked something."""

    def __init__(self) -> None:
        self._count = 0

    def asked(self) -> None:
        """It may speak. Answers to what it asks do not count: it could ask for ever."""
        self._count = 0

    def heard(self, count: int = 1) -> str:
        """It has said so much more; what is wrong with that, if anything."""
        self._count += count
        return "it flooded us with messages that nobody asked for" if self._count > _MOST_UNASKED else ""
