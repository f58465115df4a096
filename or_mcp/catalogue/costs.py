"""What one model's part of a call costs at the prices in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from or_mcp.catalogue.rates import Rates, rates
from or_mcp.catalogue.slugs import ROUTER_AUTHOR, Slug, author
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.wire.models import Model

# One search brings about this many tokens of results into the prompt of every later turn.
SEARCH_TOKENS = 3_000
# Exa, which upstream uses unless a model brings its own search.
SEARCH_USD = Decimal("0.007")
FETCH_USD = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Work:
    """What one model does in a call: it reads a prompt, takes some web steps, and writes."""

    prompt_tokens: int
    output_tokens: int
    steps: int = 0

    @property
    def prompts(self) -> Iterable[int]:
        """The prompt of every turn: each step's results are read again by all later turns."""
        return (self.prompt_tokens + step * SEARCH_TOKENS for step in range(self.steps + 1))


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
    if model is None:
        raise Unpriced(f"{slug}: it is not in the model list, so its price is not known")
    return snapshot.target(model)


def cost(model: Model, slug: str, work: Work, now: datetime) -> Decimal:
    """What this work costs with this model.

    Raises:
        Unpriced: A price that is needed is not known.
    """
    total = work.steps * (_search_price(model) + FETCH_USD)
    found = rates_of(model, slug, work.prompt_tokens, now)
    for prompt in work.prompts:
        found = rates_of(model, slug, prompt, now)
        total += prompt * (found.prompt or 0) + (found.request or 0)
    # The last turn has the longest prompt, and with it the price that holds for what is written.
    return total + work.output_tokens * (found.output or 0)


def rates_of(model: Model, slug: str, prompt_tokens: int, now: datetime) -> Rates:
    """The prices in force, all of them known.

    Raises:
        Unpriced: One of them is not.
    """
    found = rates(model.pricing, prompt_tokens, now)
    if None not in (found.prompt, found.completion, found.request):
        return found
    if author(model.id) == ROUTER_AUTHOR:
        raise Unpriced(f"{slug}: its price depends on the model it picks")
    raise Unpriced(f"{slug}: its price is not listed")


def _search_price(model: Model) -> Decimal:
    own = model.pricing.web_search if model.pricing else None
    return own if own is not None and own > 0 else SEARCH_USD
