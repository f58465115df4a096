"""A video being made: a job that upstream carries, which any process can ask about, and which is sent once."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import anyio.to_thread

from or_mcp.catalogue.prices import Estimate
from or_mcp.files.made import MadeFile
from or_mcp.files.shelf import Arriving, Shelf
from or_mcp.media.result import MediaResult, result_of
from or_mcp.media.work import Making
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure, TimeMayHelp, UpstreamFailed
from or_mcp.openrouter.wire.media import VideoJob, VideoRequest
from or_mcp.runs.jobs import Kind, awaited
from or_mcp.runs.live import LiveRun
from or_mcp.runs.record import RunRecord

# A video takes a minute or some; upstream gives it up long before a day is over.
_VIDEO = Kind("video", look_every_seconds=15.0, longest_seconds=24 * 3600.0)
# How often a download is begun again, and what is written at a time.
_DOWNLOADS, _AT_ONCE = 5, 1 << 20
_GONE = (404, 410)
_ENDS = {
    "failed": "The video could not be made",
    "cancelled": "The video was cancelled upstream",
    "expired": "The video expired upstream before it was fetched",
}


class Filming(Making):
    """A video being made."""

    def __init__(
        self,
        result: MediaResult,
        estimate: Estimate,
        upstream: OpenRouter,
        shelf: Shelf,
        *,
        request: VideoRequest | None,
        job: str = "",
    ) -> None:
        super().__init__(result, estimate, upstream, shelf)
        self._request = request
        self._job = job

    @classmethod
    def asked(cls, request: VideoRequest, estimate: Estimate, upstream: OpenRouter, shelf: Shelf) -> Filming:
        """One that is still to be sent."""
        return cls(MediaResult("video", request.model), estimate, upstream, shelf, request=request)

    @classmethod
    def resumed(cls, record: RunRecord, upstream: OpenRouter, shelf: Shelf) -> Filming:
        """One that was sent, by whichever process."""
        job: str = json.loads(record.job or "{}").get("id", "")
        return cls(result_of(record), Estimate(None, None, None), upstream, shelf, request=None, job=job)

    async def carry_out(self, run: LiveRun) -> None:
        """Send it unless it was sent, wait until it is done, and fetch it."""
        if self._request is not None:
            job = await self._upstream.media.start_video(self._request)
            self._job, self._request = job.id, None
            # What is paid for is known by its id alone: nothing may come between.
            with anyio.CancelScope(shield=True):
                await run.handed_over(json.dumps({"id": job.id}))
            run.noted("accepted", self._result.model, job.id)
        job = await awaited(run, _VIDEO, self._looked, self._tell)
        self._generation_id = job.generation_id or self._generation_id
        if job.usage is not None:
            self._cost = job.usage.cost
        if job.status in _ENDS:
            raise UpstreamFailed(_ENDS[job.status], quote=job.error or "", may_be_billed=job.status == "expired")
        await run.told("filmed", self._result.model)
        for index in range(len(self._result.files), max(len(job.unsigned_urls), len(job.urls), 1)):
            file = await self._fetched(index, run)
            self._result = replace(self._result, files=(*self._result.files, file))
            await run.told("fetched", self._result.model, file.name)

    async def _looked(self) -> VideoJob | None:
        """The job, if it is at its end."""
        job = await self._upstream.media.video(self._job)
        if job.status == "completed" or job.status in _ENDS:
            return job
        self._tell(job.status.replace("_", " "))
        return None

    def _tell(self, how: str) -> None:
        self._doing = f"{self._result.model} filming ({how})"

    async def _fetched(self, index: int, run: LiveRun) -> MadeFile:
        for attempt in range(1, _DOWNLOADS + 1):
            try:
                return await self._downloaded(index, run)
            except Failure as failure:
                failure.may_be_billed = True
                if failure.status in _GONE:
                    raise UpstreamFailed(_ENDS["expired"], quote=failure.quote, may_be_billed=True) from failure
                if attempt == _DOWNLOADS or not isinstance(failure, TimeMayHelp):
                    raise
            await anyio.sleep(attempt)
        raise AssertionError

    async def _downloaded(self, index: int, run: LiveRun) -> MadeFile:
        async with self._upstream.media.video_content(self._job, index) as reply, _arriving(self._shelf) as arriving:
            async for part in _gathered(reply.chunks()):
                await anyio.to_thread.run_sync(arriving.write, part)
                self._doing = f"fetching the video, {arriving.size / 1e6:.1f} MB"
                run.grew()
            return await anyio.to_thread.run_sync(arriving.shelve, f"video-{index + 1}")


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in larger parts: a thread for each packet is slow."""
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        if len(waiting) >= _AT_ONCE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


@asynccontextmanager
async def _arriving(shelf: Shelf) -> AsyncGenerator[Arriving]:
    arriving = await anyio.to_thread.run_sync(shelf.receive)
    try:
        yield arriving
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(arriving.close)
