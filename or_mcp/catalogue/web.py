"""How often a model may use the web in one request: the limits that are sent are the ones that are priced."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from or_mcp.openrouter.wire.routing import WebParameters, WebTool

# Exa's prices. Native searches of OpenAI, Google and xAI obey no limit, so Exa is asked for by name.
SEARCH_USD = Decimal("0.007")
FETCH_USD = Decimal("0.001")
# What a model writes to ask for one search.
STEP_TOKENS = 150
# Upstream's own default for results, and Parallel's for their length: sent, so that they are limits.
_RESULTS, _CHARACTERS = 5, 1_500
# What five such results come to: usually, and with two characters a token, titles and addresses included.
_SEARCH_TOKENS, _SEARCH_TOKENS_AT_MOST = 3_000, 4_000
# A page is cut to this much.
_FETCH_TOKENS = 2_500


@dataclass(frozen=True, slots=True)
class WebUse:
    """So many searches and fetches, and what they bring into the prompt."""

    searches: int = 0
    fetches: int = 0
    # Where searches look, and where not.
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """How often the model goes on after it has read something."""
        return max(self.searches, self.fetches)

    def read_by(self, step: int) -> int:
        """Tokens that so many steps usually bring; every later step reads them again."""
        return step * _SEARCH_TOKENS

    def read_at_most_by(self, step: int) -> int:
        """The same, when every result and every page is as long as it may be."""
        return min(step, self.searches) * _SEARCH_TOKENS_AT_MOST + min(step, self.fetches) * _FETCH_TOKENS

    def tools(self) -> tuple[WebTool, ...]:
        """Upstream's tools with these limits."""
        search = WebParameters(
            engine="exa",
            max_uses=self.searches,
            max_results=_RESULTS,
            max_characters=_CHARACTERS,
            allowed_domains=self.only or None,
            excluded_domains=self.never or None,
        )
        fetch = WebParameters(max_uses=self.fetches, max_content_tokens=_FETCH_TOKENS)
        return (
            *((WebTool(type="openrouter:web_search", parameters=search),) if self.searches else ()),
            *((WebTool(type="openrouter:web_fetch", parameters=fetch),) if self.fetches else ()),
        )


NO_WEB = WebUse()
