"""Texts to vectors: several batches at once, each kept as soon as it is paid for."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import anyio
import anyio.to_thread

from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure, InvalidRequest, UpstreamFailed
from or_mcp.openrouter.retry import wait_before_retry
from or_mcp.openrouter.wire.embeddings import EmbeddingsReply, EmbeddingsRequest
from or_mcp.openrouter.wire.routing import Provider
from or_mcp.openrouter.wire.sessions import new_session
from or_mcp.vectors.batching import split
from or_mcp.vectors.bill import Bill
from or_mcp.vectors.cache import VectorCache
from or_mcp.vectors.decoding import FLOAT_BYTES, read_vectors
from or_mcp.vectors.texts import Recipe, Text

# As many as keep a link busy without being taken for a flood.
AT_ONCE = 8
# The batch is cut in two; with any other status it is not its size.
_TOO_LARGE = 413

Batch = Sequence[Text]
Told = Callable[[Batch], Awaitable[None]]


class Embedder:
    """Embeds texts with one model, never one of them twice; `found` is what is known already."""

    def __init__(
        self,
        upstream: OpenRouter,
        model: str,
        recipe: Recipe,
        cache: VectorCache,
        *,
        provider: Provider | None = None,
        found: Mapping[Text, bytes] | None = None,
        count_tokens: Callable[[str], int] = len,
    ) -> None:
        self.found: dict[Text, bytes] = dict(found or {})
        self.spending = Bill()
        self._upstream = upstream
        self._model = model
        self._recipe = recipe
        self._cache = cache
        self._provider = provider
        self._session_id = new_session()
        self._count_tokens = count_tokens
        self._encoding = "base64"
        self._encoding_works = False
        self._trying = anyio.Lock()
        self._one_writer = anyio.CapacityLimiter(1)
        self._length: int | None = None

    @property
    def dimensions(self) -> int | None:
        """How many numbers a vector has, once one is known."""
        length = self._length or next(map(len, self.found.values()), None)
        return length // FLOAT_BYTES if length else None

    async def embed(self, texts: Iterable[Text], told: Told) -> None:
        """Have every text in `found`.

        Raises:
            Failure: A batch failed for good. What the others brought is kept in the cache.
        """
        await self._fetch(await anyio.to_thread.run_sync(self._missing, texts), told)
        stale = self._stale()
        if stale:
            # The model's vectors have changed their length since these were kept.
            for text in stale:
                del self.found[text]
            await self._fetch(stale, told)
        if self._stale():
            raise UpstreamFailed("OpenRouter sent vectors of different lengths for one model", may_be_billed=True)

    def _missing(self, texts: Iterable[Text]) -> list[Text]:
        return [text for text in dict.fromkeys(texts) if text not in self.found]

    def _stale(self) -> list[Text]:
        lengths = Counter(map(len, self.found.values()))
        if len(lengths) < 2:
            return []
        length = self._length or lengths.most_common(1)[0][0]
        return [text for text, vector in self.found.items() if len(vector) != length]

    async def _fetch(self, texts: Sequence[Text], told: Told) -> None:
        batches = await anyio.to_thread.run_sync(self._batches, texts)
        for batch, wait in await self._at_once(batches, told):
            await anyio.sleep(wait)
            await self._settle(batch)
            await told(batch)

    def _batches(self, texts: Sequence[Text]) -> list[Batch]:
        batches: list[Batch] = []
        for input_type in dict.fromkeys(text.input_type for text in texts):
            same = [text for text in texts if text.input_type == input_type]
            tokens = [self._count_tokens(text.words) for text in same]
            batches += [same[batch.start : batch.stop] for batch in split(tokens)]
        return batches

    async def _at_once(self, batches: Iterable[Batch], told: Told) -> list[tuple[Batch, float]]:
        """Send all; those that failed unbilled, and may do better alone, come back with how long to wait first."""
        waiting, again = deque(batches), list[tuple[Batch, float]]()
        fatal: list[Failure] = []

        async def work() -> None:
            while waiting and not fatal:
                batch = waiting.popleft()
                try:
                    await self._settle(batch)
                except Failure as failure:
                    wait = _wait_for_another(failure)
                    # Many in trouble are no hiccup: stop rather than ask upstream for every single one.
                    if wait is None or len(again) == AT_ONCE:
                        fatal.append(failure)
                    else:
                        again.append((batch, wait))
                else:
                    await told(batch)

        async with anyio.create_task_group() as group:
            for _ in range(min(AT_ONCE, len(waiting))):
                group.start_soon(work)
        # The others were let finish: they are paid for.
        if fatal:
            # What one failed for costs nothing; the run may still hold others that were billed.
            fatal[0].may_be_billed |= self.spending.cost_usd is None
            raise fatal[0]
        return again

    async def _settle(self, batch: Batch) -> None:
        """Embed a batch and keep it; one that is too large goes in halves."""
        try:
            reply = await self._ask(batch)
        except InvalidRequest as failure:
            if failure.status != _TOO_LARGE or len(batch) == 1:
                raise
            half = len(batch) // 2
            await self._settle(batch[:half])
            await self._settle(batch[half:])
            return
        # It is paid for: whoever cancels now still finds it next time.
        with anyio.CancelScope(shield=True):
            self.found.update(await anyio.to_thread.run_sync(self._keep, batch, reply, limiter=self._one_writer))

    def _keep(self, batch: Batch, reply: EmbeddingsReply) -> dict[Text, bytes]:
        vectors = read_vectors(reply, len(batch))
        self._length = self._length or len(vectors[0])
        if len(vectors[0]) != self._length:
            words = "OpenRouter sent vectors of different lengths for one model"
            raise UpstreamFailed(words, generation_id=reply.id, may_be_billed=True)
        self._cache.write({self._recipe.key(text): vector for text, vector in zip(batch, vectors, strict=True)})
        return dict(zip(batch, vectors, strict=True))

    async def _ask(self, batch: Batch) -> EmbeddingsReply:
        """The reply to one batch. Not every endpoint knows base64: the first refusal is tried once with numbers."""
        encoding = self._encoding
        try:
            reply = await self._send(batch, encoding)
        except InvalidRequest as refusal:
            async with self._trying:
                if not self._may_be_the_encoding(refusal, encoding):
                    raise
                if self._encoding == "base64":
                    return await self._try_numbers(batch, refusal)
            return await self._send(batch, self._encoding)
        self._encoding_works = True
        return reply

    def _may_be_the_encoding(self, refusal: Failure, encoding: str) -> bool:
        asked_in_vain = self._encoding_works and self._encoding == encoding
        return encoding == "base64" and refusal.status != _TOO_LARGE and not refusal.may_be_billed and not asked_in_vain

    async def _try_numbers(self, batch: Batch, refusal: Failure) -> EmbeddingsReply:
        try:
            reply = await self._send(batch, "float")
        except InvalidRequest:
            # Something else is wrong: nobody needs to try again.
            self._encoding_works = True
            raise refusal from None
        self._encoding, self._encoding_works = "float", True
        return reply

    async def _send(self, batch: Batch, encoding: str) -> EmbeddingsReply:
        request = EmbeddingsRequest(
            model=self._model,
            input=tuple(text.words for text in batch),
            dimensions=self._recipe.dimensions,
            encoding_format=encoding,
            input_type=batch[0].input_type,
            provider=self._provider,
            session_id=self._session_id,
        )
        self.spending.sent()
        try:
            reply = await self._upstream.embeddings(request)
        except Failure as failure:
            self.spending.failed(failure)
            raise
        self.spending.answered(reply)
        return reply


def _wait_for_another(failure: Failure) -> float | None:
    """How long to wait before this may be sent again; None when it may not."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    return wait_before_retry(failure, 1, left, paid=True)
