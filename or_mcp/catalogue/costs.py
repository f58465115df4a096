"""What one model's part of a call costs: usually, and at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from or_mcp.catalogue.rates import Cache, Rates, is_free, makes, rates, rates_at_most
from or_mcp.catalogue.slugs import ROUTER_AUTHOR, Slug, author
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.web import FETCH_USD, NO_WEB, SEARCH_USD, STEP_TOKENS, WebUse
from or_mcp.openrouter.wire.models import Model


@dataclass(frozen=True, slots=True)
class Media:
    """What is read beside text: of the prompt's tokens, so many are of pictures and so many of sound."""

    images: int = 0
    image_tokens: int = 0
    audio_tokens: int = 0


NO_MEDIA = Media()


@dataclass(frozen=True, slots=True)
class Load:
    """What one model does in a call: it reads a prompt, uses the web, and writes."""

    prompt_tokens: int
    output_tokens: int
    web: WebUse = NO_WEB
    media: Media = NO_MEDIA
    requests: int = 1
    cache: Cache = ""


class Unpriced(Exception):
    """A price is not known, for this reason."""


def priced_model(snapshot: Snapshot, slug: str) -> Model:
    """The model whose prices hold for a name.

    Raises:
        Unpriced: Nobody can say which model that is.
    """
    name = Slug.read(slug)
    if name.preset and not name.base:
        raise Unpriced(f"{slug}: its price depends on the model the preset picks")
    model = snapshot.find(slug)
    if not snapshot.is_read:
        raise Unpriced("the catalogue with its prices could not be read")
    if model is None:
        raise Unpriced(f"{slug}: it is not in the model list, so its price is not known")
    return snapshot.target(model)


def cost(model: Model, slug: str, load: Load, now: datetime) -> Decimal:
    """What this load usually costs with this model.

    Raises:
        Unpriced: A price that is needed is not known.
    """
    prompts = [load.prompt_tokens + load.web.read_by(step) for step in range(load.web.steps + 1)]
    met = [rates_of(model, slug, prompt, now) for prompt in prompts]
    priced = zip(prompts, met, strict=True)
    read = sum((_read(prompt, found.input_through(load.cache), found, load.media) for prompt, found in priced), _0)
    return read + _rest(met[-1], load, len(prompts))


def cost_at_most(model: Model, slug: str, load: Load, now: datetime) -> Decimal:
    """What it costs when all prices are the dearest that may hold, and nothing is found in a cache.

    Raises:
        Unpriced: A price that is needed is not known.
    """
    prompts = [load.prompt_tokens + load.web.read_at_most_by(step) for step in range(load.web.steps + 1)]
    found = rates_of(model, slug, prompts[-1], now, rates_at_most)
    dearest = max(found.input_at_most or _0, found.input_through(load.cache) or _0)
    read = sum((_read(prompt, dearest, found, load.media) for prompt in prompts), _0)
    return read + _rest(found, load, len(prompts))


def rates_of(
    model: Model,
    slug: str,
    prompt_tokens: int,
    now: datetime,
    find: Callable[..., Rates] = rates,
) -> Rates:
    """The prices in force, all of them known.

    Raises:
        Unpriced: One of them is not.
    """
    found = find(model.pricing, prompt_tokens, now)
    # What a model does not make it does not charge for.
    if found.image_output is not None and "image" not in makes(model):
        found = replace(found, image_output=None)
    if found.audio_output is not None and "audio" not in makes(model):
        found = replace(found, audio_output=None)
    if None in (found.prompt, found.completion, found.request):
        if author(model.id) == ROUTER_AUTHOR:
            raise Unpriced(f"{slug}: its price depends on the model it picks")
        raise Unpriced(f"{slug}: its price is not listed")
    if not found.prompt and not found.completion and not found.request and not is_free(model):
        raise Unpriced(f"{slug}: it is listed at nothing, which for its kind means that its price is not listed")
    return found


_0 = Decimal(0)


def _read(prompt: int, price: Decimal | None, found: Rates, media: Media) -> Decimal:
    """One turn's prompt. Pictures and sound have prices of their own where they are listed, and else those of text."""
    text = price or _0
    sound = media.audio_tokens * max(_0, (found.audio or _0) - text)
    pictures = media.image_tokens * max(_0, (found.image_token or _0) - text) + media.images * (found.image or _0)
    return prompt * text + sound + pictures + (found.request or _0)


def _rest(found: Rates, load: Load, turns: int) -> Decimal:
    """Everything but the prompts, by the prices that hold for the longest of them."""
    written = load.output_tokens + load.web.steps * STEP_TOKENS
    search = max(found.web_search or _0, SEARCH_USD)
    more_requests = (load.requests - 1) * turns * (found.request or _0)
    return written * (found.output or _0) + load.web.searches * search + load.web.fetches * FETCH_USD + more_requests
