"""Vectors as upstream sends them, checked. Inside, a vector is its little-endian float32 bytes."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING

from or_mcp.openrouter.errors import UpstreamFailed

if TYPE_CHECKING:
    from or_mcp.openrouter.wire.embeddings import Embedding, EmbeddingsReply

# float32, as upstream sends them in base64.
FLOAT_BYTES = 4


def read_vectors(reply: EmbeddingsReply, expected: int) -> list[bytes]:
    """The vectors of a reply, in the order of the texts.

    Raises:
        UpstreamFailed: They are not one per text, all of the same length, of finite numbers.
    """
    rows = reply.data
    if len(rows) != expected:
        raise _wrong(reply, f"{len(rows)} vectors came for {expected} texts")
    vectors = [_bytes(row.embedding) for row in _ordered(reply, rows)]
    lengths = sorted({len(vector) // FLOAT_BYTES for vector in vectors})
    if len(lengths) != 1:
        raise _wrong(reply, f"vectors of {lengths[0]} and of {lengths[-1]} numbers came in one reply")
    if not lengths[0] or not _finite(vectors):
        raise _wrong(reply, "a vector holds something that is not a number")
    return vectors


def _ordered(reply: EmbeddingsReply, rows: Sequence[Embedding]) -> Sequence[Embedding]:
    places = [row.index for row in rows]
    if len(set(places)) == 1:
        # None is numbered, or all carry the number of a request for one text.
        return rows
    if None in places or len(set(places)) < len(places):
        raise _wrong(reply, "it cannot be told which vector belongs to which text")
    return sorted(rows, key=lambda row: row.index or 0)


def _bytes(embedding: str | tuple[float, ...]) -> bytes:
    import numpy as np

    if isinstance(embedding, str):
        try:
            raw = binascii.a2b_base64(embedding)
        except binascii.Error:
            return b""
        return raw if len(raw) % FLOAT_BYTES == 0 else b""
    with np.errstate(over="ignore"):
        return np.asarray(embedding, dtype="<f4").tobytes()


def _finite(vectors: Sequence[bytes]) -> bool:
    import numpy as np

    return bool(np.isfinite(np.frombuffer(b"".join(vectors), dtype="<f4")).all())


def _wrong(reply: EmbeddingsReply, what: str) -> UpstreamFailed:
    return UpstreamFailed(f"OpenRouter's reply is not usable: {what}", generation_id=reply.id, may_be_billed=True)
