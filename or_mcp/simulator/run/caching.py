"""Prompt caches: what a provider remembers of earlier prompts, and which tokens a call read from it or wrote to it.

A prompt is a row of segments; its prefixes that end with a segment can be remembered. Makers differ: Anthropic and
Alibaba cache what is marked with `cache_control`, the others whatever is long enough.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from or_mcp.simulator.catalogue import Model
from or_mcp.simulator.wire import JsonObject

_LEAST_TOKENS = 1_024
_SHORT, _LONG = 300.0, 3_600.0
_MARKED_ONLY = ("anthropic", "qwen")
# They write to their cache unasked too, but charge it only where it was asked for.
_UNASKED_IS_FREE = ("google",)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a prompt; `keep` is for how long it and what stands before it should be cached."""

    text: str
    tokens: int
    keep: float | None = None
    # Whether they are sound, which has prices of its own.
    sounds: bool = False


@dataclass(frozen=True, slots=True)
class CacheUse:
    """The tokens of one call that were read, and that were written and are charged as such; sound is never written."""

    read: int = 0
    read_audio: int = 0
    written: int = 0
    written_1h: int = 0


def keep_of(control: JsonObject) -> float | None:
    """How long a `cache_control` keeps; None if there is none."""
    if not control:
        return None
    return _LONG if control.get("ttl") == "1h" else _SHORT


class PromptCache:
    """What all providers remember."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, ...], float] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._until.clear()

    def use(
        self, owner: tuple[str, ...], model: Model, prices: JsonObject, segments: Sequence[Segment], *, marked: bool
    ) -> CacheUse:
        """Look a prompt up, remember it, and say what of it is billed how; `owner` is whose cache it is.

        `marked` says that the request wants nothing else cached than what it marks.
        """
        marks = [place for place, segment in enumerate(segments, start=1) if segment.keep]
        last = max(marks, default=0) if marked or model.author in _MARKED_ONLY else len(segments)
        if "input_cache_read" not in prices or not last:
            return CacheUse()
        prefixes = list(_prefixes(segments[:last]))
        now = time.monotonic()
        known = [place for place, (_, key) in enumerate(prefixes, 1) if self._until.get((*owner, key), 0) > now]
        held = max(known, default=0)
        read = prefixes[held - 1][0] if held else 0
        heard = sum(segment.tokens for segment in segments[:held] if segment.sounds)
        keep = max((segment.keep or _SHORT for segment in segments[:last]), default=_SHORT)
        for tokens, key in prefixes:
            if tokens >= _LEAST_TOKENS:
                self._until[(*owner, key)] = now + keep
        total = prefixes[-1][0]
        charged = bool(marks) or model.author not in _UNASKED_IS_FREE
        if total < _LEAST_TOKENS or "input_cache_write" not in prices or not charged:
            return CacheUse(read, heard)
        written = total - read - sum(segment.tokens for segment in segments[held:last] if segment.sounds)
        return CacheUse(read, heard, written, written if keep == _LONG else 0)


def _prefixes(segments: Iterable[Segment]) -> Iterable[tuple[int, str]]:
    total, digest = 0, hashlib.sha256()
    for segment in segments:
        total += segment.tokens
        digest.update(f"{len(segment.text)}:{segment.text}".encode(errors="surrogatepass"))
        yield total, digest.hexdigest()
