"""Where a page ended: the last row's own place, not a count of rows, so it holds while the catalogue changes.

A cursor stands in every page, and a model reads it: it is short.
"""

from __future__ import annotations

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from or_mcp.catalogue.reading import Reading
from or_mcp.openrouter.errors import InvalidRequest

Place = tuple[tuple[float, ...], bytes]
"""The sort key of a row, and what stands for its id."""

_HEAD = struct.Struct("<4s4sB")
_FIELDS, _WORDS = "\x1e", "\x1f"
_LARGEST = 3e38


def place(key: tuple[float, ...], model_id: str) -> Place:
    """A place as a cursor can hold it: every place is rounded alike, so that they compare as they did."""
    sizes = struct.Struct(f"<{len(key)}f")
    # Unknown figures are infinite, and stay so.
    kept = (part if abs(part) < _LARGEST else float("inf") if part > 0 else float("-inf") for part in key)
    return sizes.unpack(sizes.pack(*kept)), sha256(model_id.encode()).digest()[:4]


def write_cursor(fingerprint: bytes, reading: Reading, after: Place) -> str:
    """An opaque text that continues after this place."""
    key, row = after
    written = _HEAD.pack(fingerprint, row, len(key)) + struct.pack(f"<{len(key)}f", *key) + _written(reading)
    return urlsafe_b64encode(written).decode().rstrip("=")


def read_cursor(cursor: str, fingerprint: bytes, phrase: str) -> tuple[Reading, Place]:
    """The reading of the phrase and the place that a cursor continues.

    Raises:
        InvalidRequest: It is not one of ours, or belongs to another query.
    """
    try:
        written = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        of_query, row, length = _HEAD.unpack_from(written)
        key = struct.unpack_from(f"<{length}f", written, _HEAD.size)
        reading = _read(written[_HEAD.size + 4 * length :], phrase)
    except (ValueError, struct.error) as error:
        raise InvalidRequest("cursor is not one that list_models gave; leave it out to start again") from error
    if of_query != fingerprint:
        raise InvalidRequest("cursor belongs to another query; leave it out, or repeat the query it came from")
    return reading, (key, row)


def _written(reading: Reading) -> bytes:
    """What a phrase was taken for; the phrase itself comes again with the query."""
    parts = (_WORDS.join(reading.terms), _WORDS.join(reading.intents), reading.modality, "1" * reading.filtered)
    return _FIELDS.join(parts).encode()


def _read(written: bytes, phrase: str) -> Reading:
    terms, intents, modality, filtered = written.decode().split(_FIELDS)
    return Reading(phrase, _several(terms), _several(intents), modality, bool(filtered))


def _several(words: str) -> tuple[str, ...]:
    return tuple(words.split(_WORDS)) if words else ()
