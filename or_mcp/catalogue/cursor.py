"""Where a page ended: the last row's own place, not a count of rows, so it holds while the catalogue changes."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import astuple

from pydantic import BaseModel, ValidationError

from or_mcp.catalogue.reading import Reading
from or_mcp.openrouter.errors import InvalidRequest

Place = tuple[tuple[float, ...], str]
"""The sort key of a row, and its id."""


class _Cursor(BaseModel):
    fingerprint: str
    reading: tuple[str, tuple[str, ...], tuple[str, ...], str, bool]
    key: tuple[float, ...]
    id: str


def write_cursor(fingerprint: str, reading: Reading, place: Place) -> str:
    """An opaque text that continues after this place."""
    key, model_id = place
    # JSON has no infinity, which is where unknown figures are sorted.
    fields = [fingerprint, astuple(reading), [repr(part) for part in key], model_id]
    return urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(cursor: str, fingerprint: str) -> tuple[Reading, Place]:
    """The reading and the place that a cursor continues.

    Raises:
        InvalidRequest: It is not one of ours, or belongs to another query.
    """
    try:
        fields = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        found = _Cursor.model_validate(dict(zip(_Cursor.model_fields, fields, strict=True)))
    except (ValueError, TypeError, ValidationError) as error:
        raise InvalidRequest("cursor is not one that list_models gave; leave it out to start again") from error
    if found.fingerprint != fingerprint:
        raise InvalidRequest("cursor belongs to another query; leave it out, or repeat the query it came from")
    return Reading(*found.reading), (found.key, found.id)
