"""The catalogue, kept: a fresh list from memory, an old one while a new one is fetched, the disk's when cold."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from or_mcp.catalogue.disk import DiskCopy
from or_mcp.catalogue.flights import Remembered, Shared
from or_mcp.catalogue.intents import gives
from or_mcp.catalogue.slugs import Slug, is_address
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure, ModelUnavailable, NotFound, UpstreamFailed
from or_mcp.openrouter.wire.errors import Availability
from or_mcp.openrouter.wire.models import Model

if TYPE_CHECKING:
    from or_mcp.openrouter.wire.endpoints import Endpoint, ListedProvider, ModelEndpoints
    from or_mcp.openrouter.wire.media import ImageEndpoint, VideoModel

# Prices change by the day, and new models come by the week: ten minutes old is new.
FRESH_SECONDS = 600.0
# A list older than this is waited for; a younger one serves while the next is fetched.
TOO_OLD_SECONDS = 86_400.0
# After a failure the list that is kept serves for so long before upstream is asked again.
RETRY_SECONDS = 30.0
# With nothing to serve instead, only what is asked in the same breath shares a failure.
_FIRST_RETRY_SECONDS = 3.0
# A name that is not in the list may be new: a list older than this is fetched again before it is refused.
_RECHECK_SECONDS = 60.0
# Uptime and latency of endpoints are of the last half hour; who keeps nothing, and who provides, hardly changes.
_ENDPOINTS_SECONDS, _ZDR_SECONDS, _PROVIDERS_SECONDS = 45.0, 600.0, 3_600.0
# Prices of pictures and videos are as young as the other ones.
_MEDIA_SECONDS = FRESH_SECONDS
# They change with a run of the tests, and upstream answers 500 such requests a day.
_BENCHMARKS_SECONDS, _PATIENCE_SECONDS = 6 * 3_600.0, 2.0

_log = logging.getLogger(__name__)


class Catalogue:
    """What models there are, asked of upstream as rarely as possible.

    `directory` keeps a copy for the next start, one for each `origin`, which is upstream's address. Without an origin
    nothing is kept: a simulator's models must never be taken for OpenRouter's.
    """

    def __init__(
        self,
        upstream: OpenRouter,
        directory: Path | None,
        *,
        origin: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._upstream = upstream
        self._disk = DiskCopy(directory, origin) if directory is not None and origin else None
        self._clock = clock
        self._group: TaskGroup | None = None
        self._kept: Snapshot | None = None
        self._failed_at = 0.0
        self._problem: Failure | None = None
        self._loading = Shared(self._load)
        self._fetching = Shared(self._fetch)
        self._endpoints: Remembered[ModelEndpoints] = Remembered(_ENDPOINTS_SECONDS, clock)
        self._zdr: Remembered[tuple[Endpoint, ...]] = Remembered(_ZDR_SECONDS, clock)
        self._drawing: Remembered[tuple[ImageEndpoint, ...]] = Remembered(_MEDIA_SECONDS, clock)
        self._filming: Remembered[tuple[VideoModel, ...]] = Remembered(_MEDIA_SECONDS, clock)
        self._providers: Remembered[tuple[ListedProvider, ...]] = Remembered(_PROVIDERS_SECONDS, clock)
        self._benchmarks = Remembered[Mapping[str, Mapping[str, Decimal]]](_BENCHMARKS_SECONDS, clock)

    @asynccontextmanager
    async def running(self, group: TaskGroup) -> AsyncGenerator[None]:
        """Fetch in this task group for as long as the block lasts. Outside it, whoever needs an answer waits for it."""
        self._group = group
        try:
            yield
        finally:
            self._group = None

    async def models(self) -> Snapshot:
        """Every model, as of at most ten minutes ago if upstream can be reached.

        Raises:
            Failure: It cannot, and no earlier list was kept.
        """
        if self._kept is None and self._disk is not None:
            await self._loading.result(self._group)
        kept = self._kept
        if kept is None:
            return await self._first()
        age = self._age(kept)
        if age < FRESH_SECONDS or self._failed_recently():
            return self._now(kept)
        if self._group is None or age >= TOO_OLD_SECONDS:
            return await self._refreshed(kept)
        self._fetching.begin(self._group)
        return self._now(kept)

    async def check(self, slug: str, output_modality: str | None = None) -> Model | None:
        """The model a name stands for; None when nobody here can tell, so that upstream decides.

        Raises:
            ModelUnavailable: There is clearly no such model. It carries the closest names.
        """
        try:
            snapshot = await self.models()
        except Failure:
            return None
        known = snapshot.find(slug)
        if known is not None or "@preset/" in slug:
            return known
        if snapshot.age_seconds > _RECHECK_SECONDS and not self._failed_recently():
            snapshot = await self._refreshed(snapshot)
        return snapshot.find(slug) or await self._ask(slug, snapshot, output_modality)

    async def endpoints(self, slug: str) -> ModelEndpoints:
        """Who serves a model.

        Raises:
            ModelUnavailable: There is no such model. It carries the closest names.
        """
        model = await self.check(slug)
        name = model.id if model is not None else Slug.read(slug).model
        try:
            return await self._endpoints.get(name, lambda: self._upstream.endpoints(name), self._group)
        except NotFound as failure:
            raise _unknown(slug, await self.models(), None) from failure

    async def zdr_endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint that keeps nothing."""
        return await self._zdr.get("", self._upstream.zdr_endpoints, self._group)

    async def providers(self) -> tuple[ListedProvider, ...]:
        """Every provider."""
        return await self._providers.get("", self._upstream.providers, self._group)

    async def task_costs(self) -> Mapping[str, Mapping[str, Decimal]]:
        """What a task of each of upstream's tests costs with a model, by the model's lasting name; empty where unknown.

        Only who has a key may see it; and nobody waits long for it.
        """
        if self._upstream.key is None:
            return {}
        with anyio.move_on_after(_PATIENCE_SECONDS):
            return await self._benchmarks.get("", self._read_costs, self._group)
        return {}

    async def _read_costs(self) -> Mapping[str, Mapping[str, Decimal]]:
        costs: dict[str, dict[str, Decimal]] = {}
        try:
            for each in await self._upstream.benchmarks():
                if each.avg_cost_per_task is not None and each.benchmark_type is not None:
                    costs.setdefault(each.model_permaslug, {})[each.benchmark_type] = each.avg_cost_per_task
        except Failure as failure:
            _log.info("The benchmarks could not be read: %s", failure.message)
        return costs

    async def image_endpoints(self, slug: str) -> tuple[ImageEndpoint, ...]:
        """Who draws with a model, and for how much.

        Raises:
            NotFound: It does not draw.
        """
        return await self._drawing.get(slug, lambda: self._upstream.media.image_endpoints(slug), self._group)

    async def video_model(self, slug: str) -> VideoModel | None:
        """What a model that films can do, and for how much; None if it is none."""
        models = await self._filming.get("", self._upstream.media.video_models, self._group)
        return next((model for model in models if slug in (model.id, model.canonical_slug)), None)

    async def _ask(self, slug: str, snapshot: Snapshot, output_modality: str | None) -> Model | None:
        """What upstream says of a name that is not in its list. Free."""
        if not is_address(slug):
            raise _unknown(slug, snapshot, output_modality)
        if self._failed_recently():
            return None
        try:
            return await self._upstream.model(slug)
        except NotFound as failure:
            # Without words of upstream's own, the 404 may be a gateway's that does not know this path.
            if failure.quote:
                raise _unknown(slug, snapshot, output_modality) from failure
        except Failure:
            pass
        return None

    async def _first(self) -> Snapshot:
        if self._problem is not None and self._failed_recently(_FIRST_RETRY_SECONDS):
            raise self._problem
        return self._now(await self._fetching.result(self._group))

    async def _load(self) -> None:
        if self._disk is not None and self._kept is None:
            self._kept = await anyio.to_thread.run_sync(self._disk.read)

    async def _refreshed(self, kept: Snapshot) -> Snapshot:
        try:
            return self._now(await self._fetching.result(self._group))
        except Failure as failure:
            return self._now(replace(kept, problem=failure))

    async def _fetch(self) -> Snapshot:
        try:
            models = await self._list()
        except Failure as failure:
            self._failed_at, self._problem = self._clock(), failure
            self._kept = self._kept and replace(self._kept, problem=failure)
            raise
        except Exception:
            # In the background nobody waits for it.
            _log.exception("The model list could not be fetched")
            raise
        self._problem = None
        self._kept = snapshot = Snapshot.of(models, datetime.fromtimestamp(self._clock(), UTC))
        if self._disk is not None:
            await anyio.to_thread.run_sync(self._disk.write, snapshot)
        return snapshot

    async def _list(self) -> tuple[Model, ...]:
        models = await self._upstream.models()
        if not models:
            raise UpstreamFailed("OpenRouter's model list is empty")
        if any(map(gives("embeddings"), models)):
            return models
        try:
            return (*models, *await self._upstream.embedding_models())
        except Failure:
            return models

    def _now(self, snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, age_seconds=max(0.0, self._age(snapshot)))

    def _age(self, snapshot: Snapshot) -> float:
        """How old a list is. One from the future tells nothing: the clock was set back."""
        age = self._clock() - snapshot.fetched_at.timestamp()
        return age if age >= -1 else TOO_OLD_SECONDS

    def _failed_recently(self, seconds: float = RETRY_SECONDS) -> bool:
        return self._problem is not None and 0 <= self._clock() - self._failed_at < seconds


def _unknown(slug: str, snapshot: Snapshot, output_modality: str | None) -> ModelUnavailable:
    names = snapshot.closest(slug, output_modality=output_modality)
    return ModelUnavailable(
        f"There is no model {slug}",
        status=404,
        availability=Availability(requested_models=(slug,), fallback_models=names),
    )
