"""Parts that every kind of inference request shares."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer

from or_mcp.openrouter.wire.request import Request


def _plain(amount: Decimal) -> str:
    return format(amount, "f")


_Ceiling = Annotated[Decimal, PlainSerializer(_plain)]


class MaxPrice(Request):
    """The dearest listed prices that may serve a request: USD per million tokens, per request, and per image.

    An endpoint above one of them is not asked; with none left upstream refuses. What is written to a cache, searches
    and longer prompts may cost more than the listed price.
    """

    prompt: _Ceiling | None = None
    completion: _Ceiling | None = None
    request: _Ceiling | None = None
    image: _Ceiling | None = None
    audio: _Ceiling | None = None

    def and_no_more_than(self, other: MaxPrice | None) -> MaxPrice:
        """The lower of each two."""
        both = [self.model_dump(exclude_none=True), other.model_dump(exclude_none=True) if other is not None else {}]
        lower = {name: min(each[name] for each in both if name in each) for name in both[0].keys() | both[1].keys()}
        return MaxPrice(**{name: lower[name] for name in type(self).model_fields if name in lower})


class Provider(Request):
    """Which providers may serve a request, and which are asked first."""

    order: tuple[str, ...] | None = None
    only: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    data_collection: str | None = None
    zdr: bool | None = None
    require_parameters: bool | None = None
    max_price: MaxPrice | None = None


class StopWhen(Request):
    """A condition after which upstream calls no more server tools."""

    type: str
    step_count: int | None = None
    max_cost_in_dollars: float | None = None


class Reasoning(Request):
    """How hard to think."""

    effort: str | None = None


class WebParameters(Request):
    """How far `openrouter:web_search` or `openrouter:web_fetch` may go.

    A provider's own search engine, which upstream takes where there is one unless `engine` names another, hears of
    the domains at most; `max_uses` counts there for Anthropic alone.
    """

    max_uses: int | None = None
    engine: str | None = None
    # Of a search: results of each, of all together, and the characters of a result.
    max_results: int | None = None
    max_total_results: int | None = None
    max_characters: int | None = None
    allowed_domains: tuple[str, ...] | None = None
    excluded_domains: tuple[str, ...] | None = None
    # Of a fetch.
    max_content_tokens: int | None = None


class WebTool(Request):
    """A server tool of upstream's, with its settings."""

    type: str
    parameters: WebParameters | None = None
