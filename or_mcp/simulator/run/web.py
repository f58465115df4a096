"""The web tools of a request: who searches, how often, and what that costs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from or_mcp.simulator.money.searching import FETCH_PRICE, resolved_engine, search_price
from or_mcp.simulator.run.validation import check_web
from or_mcp.simulator.wire import JsonObject, as_list, as_object, objects

# Every spelling under which one of the three APIs takes a web search.
SEARCH_TOOLS = (
    "openrouter:web_search",
    "web_search",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "web_search_2025_08_26",
    "web_search_20250305",
    "web_search_20260209",
)
FETCH_TOOLS = ("openrouter:web_fetch", "web_fetch_20250910", "web_fetch_20260209")
# Upstream's limit on the steps of a server-tool loop, and what it is without being asked.
MOST_STEPS = 30
USUAL_RESULTS, _MOST_RESULTS, _PERPLEXITYS_RESULTS = 5, 25, 20
_MOST_TOTAL_RESULTS = 50
# What Exa brings of each page for the size of a context.
_CONTEXT_CHARS = {"low": 5_000, "medium": 15_000, "high": 30_000}
# They do not let themselves be told how much to bring.
_UNMEASURED = ("native", "firecrawl")
# They read a page for nothing: upstream itself, and Firecrawl with the caller's own key.
_FREE_FETCHERS = ("openrouter", "firecrawl")


@dataclass(frozen=True, slots=True)
class FetchTool:
    """How a request lets its models read pages."""

    engine: str | None = None
    max_uses: int | None = None
    content_tokens: int | None = None
    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()

    @property
    def price(self) -> Decimal:
        """One page."""
        return Decimal(0) if self.engine in _FREE_FETCHERS else FETCH_PRICE

    def may_read(self, address: str) -> bool:
        """Whether a page stands where pages may be read."""
        host = urlsplit(address).hostname or ""
        within = [any(_is_of(host, each) for each in names) for names in (self.allowed_domains, self.blocked_domains)]
        return (within[0] or not self.allowed_domains) and not within[1]


def _is_of(host: str, domain: str) -> bool:
    domain = domain.removeprefix("*.")
    return host == domain or host.endswith(f".{domain}")


@dataclass(frozen=True, slots=True)
class WebTools:
    """What a request allows its models to look up."""

    searches: bool = False
    fetch: FetchTool | None = None
    engine: str | None = None
    mode: str | None = None
    results: int = USUAL_RESULTS
    max_uses: int | None = None
    max_total_results: int = _MOST_TOTAL_RESULTS
    characters: int | None = None
    allowed_domains: tuple[str, ...] = ()
    excluded_domains: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is any."""
        return self.searches or self.fetch is not None

    def engine_for(self, pricing: JsonObject) -> str:
        """Who searches for a model with these prices."""
        return resolved_engine(self.engine, pricing)

    def uses_allowed(self, pricing: JsonObject, author: str) -> int | None:
        """How many searches the caller allows, None without a limit that holds."""
        # A provider's own search knows no such limit, except Anthropic's.
        held = self.engine_for(pricing) != "native" or author == "anthropic"
        return self.max_uses if held else None

    def price_of_search(self, pricing: JsonObject) -> Decimal:
        """One search for a model with these prices."""
        return search_price(self.engine_for(pricing), self.mode, self.results, pricing) if self.searches else Decimal(0)

    def price_of_fetch(self) -> Decimal:
        """One page."""
        return self.fetch.price if self.fetch else Decimal(0)

    def results_after(self, found: int, pricing: JsonObject) -> int:
        """How many results one more search brings for a model with these prices, after so many."""
        engine = self.engine_for(pricing)
        if engine == "native":
            return USUAL_RESULTS
        wanted = min(self.results, _PERPLEXITYS_RESULTS) if engine == "perplexity" else self.results
        return max(min(wanted, self.max_total_results - found), 0)

    def characters_for(self, pricing: JsonObject) -> int | None:
        """The most that a result holds for a model with these prices; None where nobody said."""
        return None if self.engine_for(pricing) in _UNMEASURED else self.characters


NO_WEB = WebTools()


def read_web_tools(
    tools: Sequence[JsonObject], plugins: Sequence[JsonObject] = (), *, online: bool = False, options: object = None
) -> WebTools:
    """The web tools among server tools and plugins, or those of the `:online` variant.

    `options` are the `web_search_options` of a request, which the plugin and the variant obey.
    """
    search = next((tool for tool in tools if tool.get("type") in SEARCH_TOOLS), None)
    plugin = next((each for each in plugins if each.get("id") == "web" and each.get("enabled") is not False), None)
    fetch = _read_fetch_tool(tools, plugins)
    if search is None and plugin is None and not online:
        return WebTools(fetch=fetch)
    settings = JsonObject(as_object(options)) if search is None else JsonObject()
    for source in _sources(search, plugin):
        settings |= {name: value for name, value in source.items() if value is not None}
    check_web(settings)
    return WebTools(
        searches=True,
        fetch=fetch,
        engine=settings.get("engine"),
        mode=settings.get("mode"),
        results=min(settings.get("max_results") or USUAL_RESULTS, _MOST_RESULTS),
        max_uses=settings.get("max_uses"),
        max_total_results=settings.get("max_total_results") or _MOST_TOTAL_RESULTS,
        characters=settings.get("max_characters") or _CONTEXT_CHARS.get(str(settings.get("search_context_size"))),
        allowed_domains=tuple(as_list(settings.get("allowed_domains"))),
        excluded_domains=tuple(as_list(settings.get("excluded_domains") or settings.get("blocked_domains"))),
    )


def _read_fetch_tool(tools: Sequence[JsonObject], plugins: Sequence[JsonObject]) -> FetchTool | None:
    plugged = (each for each in plugins if each.get("id") == "web-fetch" and each.get("enabled") is not False)
    found = next((tool for tool in tools if tool.get("type") in FETCH_TOOLS), None) or next(plugged, None)
    if found is None:
        return None
    settings = found | as_object(found.get("parameters"))
    check_web(settings)
    return FetchTool(
        settings.get("engine"),
        settings.get("max_uses"),
        settings.get("max_content_tokens"),
        tuple(as_list(settings.get("allowed_domains"))),
        tuple(as_list(settings.get("blocked_domains"))),
    )


def _sources(search: JsonObject | None, plugin: JsonObject | None) -> Iterator[JsonObject]:
    named = as_object(plugin)
    if named:
        renamed = {"include_domains": "allowed_domains", "exclude_domains": "excluded_domains"}
        yield {renamed.get(name, name): value for name, value in named.items()}
    # Tools of OpenAI's and Anthropic's APIs have their settings beside the type.
    yield as_object(search)
    yield as_object(as_object(search).get("filters"))
    yield as_object(as_object(search).get("parameters"))


@dataclass(frozen=True, slots=True)
class Stops:
    """When the loop of server tools ends, whatever the model would like."""

    steps: int
    cost: Decimal | None = None
    tokens: int | None = None


def read_stops(body: JsonObject, tool_names: tuple[str, ...]) -> Stops:
    """The end of a loop over these tools: any condition of stop_server_tools_when, else max_tool_calls."""
    conditions = objects(body.get("stop_server_tools_when"))
    if not conditions:
        return Stops(min(body.get("max_tool_calls") or MOST_STEPS, MOST_STEPS))
    steps, costs, tokens = [MOST_STEPS], list[Decimal](), list[int]()
    for condition in conditions:
        match condition.get("type"):
            case "step_count_is":
                steps.append(condition.get("step_count") or MOST_STEPS)
            case "has_tool_call" if condition.get("tool_name") in tool_names:
                steps.append(1)
            case "finish_reason_is" if condition.get("reason") == "tool_calls":
                steps.append(1)
            case "max_cost" if condition.get("max_cost_in_dollars") is not None:
                costs.append(Decimal(str(condition["max_cost_in_dollars"])))
            case "max_tokens_used" if condition.get("max_tokens") is not None:
                tokens.append(condition["max_tokens"])
            case _:
                continue
    return Stops(min(steps), min(costs, default=None), min(tokens, default=None))
