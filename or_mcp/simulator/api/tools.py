"""GET /tools: the server tools there are, who carries them out, and what a call costs."""

from decimal import Decimal

from or_mcp.simulator.delivery.framing import Document
from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.money.searching import FETCH_PRICE, search_price
from or_mcp.simulator.run.tools import DATETIME, FILES, FUSION, IMAGES
from or_mcp.simulator.run.web import FETCH_TOOLS, SEARCH_TOOLS
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import JsonObject

_FORMATS = ["responses", "chat-completions", "anthropic-messages"]
_RESULTS = 5
_SEARCH_ENGINES = {
    "exa": ["auto", "deep-lite", "deep", "deep-reasoning"],
    "parallel": ["basic", "fast"],
    "perplexity": ["auto"],
}


def _price(unit: str, price: Decimal, mode: str | None = None) -> JsonObject:
    return {"unit": unit, "price": format(price, "f"), "mode": mode, "max_units_per_call": 1}


def _engine(name: str, pricing: list[JsonObject], source: str = "openrouter") -> JsonObject:
    return {
        "id": name,
        "name": name.title(),
        "executed_by": "openrouter",
        "byok": "required" if source == "byok" else "none",
        "data_regions": ["global"],
        "default_mode": None,
        "pricing": pricing,
        "pricing_doc_url": None,
        "pricing_source": source,
    }


def _search_engines() -> list[JsonObject]:
    engines = [
        _engine(name, [_price("search", search_price(name, mode, _RESULTS, {}), mode) for mode in modes])
        for name, modes in _SEARCH_ENGINES.items()
    ]
    return [*engines, _engine("firecrawl", [], "byok"), _engine("native", [], "provider") | {"executed_by": "provider"}]


def _tool(kind: str, summary: str, engines: list[JsonObject], others: tuple[str, ...] = ()) -> JsonObject:
    name = kind.removeprefix("openrouter:")
    spelled = [{"api_format": form, "type": kind} for form in _FORMATS]
    return {
        "id": kind,
        "name": name,
        "summary": summary,
        "tool_description": summary,
        "aliases": [{"type": each, "api_formats": _FORMATS, "output_names": spelled} for each in (kind, *others)],
        "engines": engines,
        "default_engine": engines[0]["id"] if engines else None,
        "fallback_engine": None,
        "docs_url": f"https://openrouter.ai/docs/guides/features/server-tools/{name.replace('_', '-')}",
        "input_schema": {"type": "object"},
        "output_schema": None,
        "parameters_schema": {"type": "object"},
        "status": "active",
        "supported_api_formats": _FORMATS,
    }


def _tools() -> list[JsonObject]:
    fetch = _engine("exa", [_price("fetch", FETCH_PRICE)])
    return [
        _tool(SEARCH_TOOLS[0], "Searches the web.", _search_engines(), SEARCH_TOOLS[1:]),
        _tool(FETCH_TOOLS[0], "Reads a page.", [fetch], FETCH_TOOLS[1:]),
        _tool(DATETIME, "Tells the time.", []),
        _tool(IMAGES[0], "Draws a picture.", [], IMAGES[1:]),
        _tool(FILES, "Lists uploaded files.", []),
        _tool(FUSION, "Asks a panel of models.", []),
    ]


def _native(state: State, tool: JsonObject, *, in_detail: bool) -> JsonObject:
    """Which models bring the tool themselves."""
    models = [
        model
        for model in state.catalogue.models
        if tool["id"] == SEARCH_TOOLS[0] and "web_search" in model.row["pricing"] and not model.alias_of
    ]
    offers = {model.slug: [offer.provider.name for offer in state.catalogue.offers(model)] for model in models}
    counts: JsonObject = {"model_count": len(models), "endpoint_count": sum(map(len, offers.values()))}
    rows = [{"slug": slug, "providers": providers} for slug, providers in offers.items()]
    return counts | ({"models": rows} if in_detail else {})


def list_all(state: State, call: Call) -> Document:
    """GET /tools."""
    state.account_of(call)
    rows = [tool | {"native_support": _native(state, tool, in_detail=False)} for tool in _tools()]
    return Document({"data": rows, "total_count": len(rows), "links": {"next": None}})


def show(state: State, call: Call) -> Document:
    """GET /tools/{name}."""
    state.account_of(call)
    for tool in _tools():
        if call.params["name"] in (tool["id"], tool["name"]):
            return Document({"data": tool | {"native_support": _native(state, tool, in_detail=True)}})
    raise Refused(404, f"Tool {call.params['name']} not found")
