"""Pictures, sound and video: one short method per path."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import quote

from or_mcp.openrouter.http import OpenReply
from or_mcp.openrouter.paths import Paths, quoted
from or_mcp.openrouter.wire.media import (
    ImageEndpoint,
    ImageEndpoints,
    ImageRequest,
    ImagesReply,
    SpeechRequest,
    Transcript,
    TranscriptRequest,
    VideoJob,
    VideoModel,
    VideoModels,
    VideoRequest,
)


class Media:
    """The part of the API that makes and reads them."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    async def images(self, request: ImageRequest) -> tuple[ImagesReply, str | None]:
        """Pictures, each as base64, and the generation's id."""
        return await self._paths.reply_and_id("/images", request, ImagesReply)

    @asynccontextmanager
    async def speech(self, request: SpeechRequest) -> AsyncGenerator[OpenReply]:
        """A text as sound, as its bytes arrive."""
        async with self._paths.paid("/audio/speech", request) as reply:
            yield reply

    async def transcript(self, request: TranscriptRequest) -> tuple[Transcript, str | None]:
        """What was said in a sound, and the generation's id."""
        return await self._paths.reply_and_id("/audio/transcriptions", request, Transcript)

    async def start_video(self, request: VideoRequest) -> VideoJob:
        """The job of a video, which upstream carries from then on."""
        return await self._paths.post("/videos", request, VideoJob)

    async def video(self, job_id: str) -> VideoJob:
        """How the job of a video stands.

        Raises:
            NotFound: Upstream does not know it, or no longer.
        """
        return await self._paths.get(f"/videos/{quote(job_id, safe='')}", VideoJob)

    @asynccontextmanager
    async def video_content(self, job_id: str, index: int) -> AsyncGenerator[OpenReply]:
        """A video that is done, as its bytes arrive."""
        path = f"/videos/{quote(job_id, safe='')}/content"
        async with self._paths.download(path, {"index": str(index)}) as reply:
            yield reply

    async def video_models(self) -> tuple[VideoModel, ...]:
        """Every model that films, with its prices."""
        return (await self._paths.get("/videos/models", VideoModels)).data

    async def image_endpoints(self, slug: str) -> tuple[ImageEndpoint, ...]:
        """Who draws with a model, with their prices.

        Raises:
            NotFound: There is no such model.
        """
        return (await self._paths.get(f"/images/models/{quoted(slug)}/endpoints", ImageEndpoints)).endpoints
