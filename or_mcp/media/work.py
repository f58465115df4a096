"""Pictures, speech and transcripts being made, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import anyio.to_thread

from or_mcp.catalogue.prices import Estimate
from or_mcp.files.encoded import decoded
from or_mcp.files.measured import Measured, as_wav
from or_mcp.files.shelf import Shelf
from or_mcp.media.result import RESULT, MediaResult, MediaUsage, Part
from or_mcp.media.written import LONG_TEXT, written
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import UpstreamFailed
from or_mcp.openrouter.reading import unreadable
from or_mcp.openrouter.wire.media import (
    ImageRequest,
    Segment,
    SpeechRequest,
    SpokenWord,
    Transcript,
    TranscriptRequest,
)
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.record import Progress

_TEXT = Measured("text/plain", "txt")


class Making:
    """Something being made: what has come of it, and what it cost."""

    limited = ""

    def __init__(self, result: MediaResult, estimate: Estimate, upstream: OpenRouter, shelf: Shelf) -> None:
        self.estimate = estimate
        self._result = result
        self._upstream = upstream
        self._shelf = shelf
        self._cost: Decimal | None = None
        self._generation_id: str | None = None
        self._doing = f"asked {result.model}"

    def kept(self) -> Kept:
        """Everything that has arrived, but its bytes."""
        return Kept(RESULT.dump_json(self._result).decode(), self._cost, self._generation_id)

    def progress(self) -> Progress:
        """How much of it is here."""
        return Progress(len(self._result.files), self._result.wanted, self._doing)

    async def _shelve(self, data: bytes, name: str, kind: Measured | None = None) -> None:
        file = await anyio.to_thread.run_sync(self._shelf.put, data, name, kind)
        self._result = replace(self._result, files=(*self._result.files, file))


class Drawing(Making):
    """Pictures being drawn."""

    def __init__(self, request: ImageRequest, estimate: Estimate, upstream: OpenRouter, shelf: Shelf) -> None:
        super().__init__(MediaResult("image", request.model, request.n or 1), estimate, upstream, shelf)
        self._request = request

    async def carry_out(self, run: LiveRun) -> None:
        """Ask for them, and keep each."""
        reply, self._generation_id = await self._upstream.media.images(self._request)
        if usage := reply.usage:
            self._cost = usage.cost
            counted = MediaUsage(usage.input_tokens, usage.output_tokens)
            self._result = replace(self._result, usage=counted, provider_cost_usd=usage.provider_cost)
        for number, image in enumerate(reply.data, 1):
            data = await anyio.to_thread.run_sync(decoded, image.b64_json)
            if data is not None:
                await self._shelve(data, f"image-{number}")
                run.noted("drawn", self._request.model, f"{number}/{len(reply.data)}")
        if not self._result.files:
            raise UpstreamFailed("No picture came", generation_id=self._generation_id, may_be_billed=True)


class Speaking(Making):
    """A text being spoken."""

    def __init__(self, request: SpeechRequest, estimate: Estimate, upstream: OpenRouter, shelf: Shelf) -> None:
        super().__init__(MediaResult("speech", request.model), estimate, upstream, shelf)
        self._request = request

    async def carry_out(self, run: LiveRun) -> None:
        """Take in the sound; raw samples get a head that says what they are."""
        async with self._upstream.media.speech(self._request) as reply:
            self._generation_id = reply.generation_id
            sound, kind = await reply.body(), reply.content_type
        if not sound or kind.startswith(("application/json", "text/")):
            raise unreadable("sound", self._generation_id, may_be_billed=True)
        await self._shelve(await anyio.to_thread.run_sync(as_wav, sound, kind), "speech")
        await run.told("spoken", self._request.model)


class Transcribing(Making):
    """A sound being written down."""

    def __init__(
        self, request: TranscriptRequest, form: str, estimate: Estimate, upstream: OpenRouter, shelf: Shelf
    ) -> None:
        super().__init__(MediaResult("transcript", request.model, wanted=0), estimate, upstream, shelf)
        self._request = request
        self._form = form

    async def carry_out(self, run: LiveRun) -> None:
        """Ask for it; a long one is a file too."""
        reply, self._generation_id = await self._upstream.media.transcript(self._request)
        usage = reply.usage
        self._cost = usage.cost if usage else None
        seconds = (usage.seconds if usage else None) or reply.duration
        counted = MediaUsage(usage.input_tokens, usage.output_tokens, seconds) if usage else MediaUsage(seconds=seconds)
        parts = tuple(_parts(reply))
        self._result = replace(self._result, text=reply.text, segments=parts, language=reply.language, usage=counted)
        if self._form != "text" or len(reply.text) > LONG_TEXT:
            text, kind = await anyio.to_thread.run_sync(written, self._result, self._form)
            await self._shelve(text.encode(errors="replace"), "transcript", kind)
        await run.told("transcribed", self._request.model)


def _parts(reply: Transcript) -> Iterator[Part]:
    """The segments, or where only words tell who speaks, each speaker's words together."""
    said = [each for each in reply.segments if each.text.strip()]
    if any(_speaker(word) for word in reply.words) and not any(map(_speaker, said)):
        yield from _turns(reply.words)
        return
    for each in said:
        yield Part(each.start or 0.0, each.end or 0.0, each.text.strip(), _speaker(each))


def _turns(words: tuple[SpokenWord, ...]) -> Iterator[Part]:
    part: Part | None = None
    for word in words:
        who = _speaker(word)
        if part is not None and part.speaker == who:
            part = replace(part, end=word.end or part.end, text=f"{part.text} {word.word.strip()}")
            continue
        if part is not None:
            yield part
        part = Part(word.start or 0.0, word.end or 0.0, word.word.strip(), who)
    if part is not None:
        yield part


def _speaker(part: Segment | SpokenWord) -> str | None:
    return part.speaker_label or (None if part.speaker is None else f"speaker {part.speaker}")
