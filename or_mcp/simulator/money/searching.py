"""What web tools cost by the call, on top of tokens."""

from decimal import Decimal

from or_mcp.simulator.wire import JsonObject

FETCH_PRICE = Decimal("0.001")
# Exa and Parallel bring so many results for the price of a search, and each further one for this.
_RESULTS, _FURTHER_RESULT = 10, Decimal("0.001")
_EXA = Decimal("0.007")
_EXA_DEEP = {"deep-lite": Decimal("0.012"), "deep": Decimal("0.012"), "deep-reasoning": Decimal("0.015")}
_PARALLEL, _PARALLEL_FAST = Decimal("0.005"), Decimal("0.001")
_PERPLEXITY = Decimal("0.005")


def resolved_engine(engine: str | None, pricing: JsonObject) -> str:
    """Who searches: the provider itself where it can, unless another was asked for."""
    native = Decimal(str(pricing.get("web_search") or 0)) > 0
    if engine in (None, "auto", "native"):
        return "native" if native else "exa"
    return str(engine)


def search_price(engine: str, mode: str | None, results: int, pricing: JsonObject) -> Decimal:
    """One search by this engine, bringing this many results."""
    further = max(results - _RESULTS, 0) * _FURTHER_RESULT
    match engine:
        case "native":
            return Decimal(str(pricing["web_search"]))
        case "exa":
            return _EXA_DEEP.get(mode or "", _EXA) + further
        case "parallel":
            return (_PARALLEL_FAST if mode in ("fast", "turbo") else _PARALLEL) + further
        case "perplexity":
            return _PERPLEXITY
        case _:
            # Firecrawl is paid with the caller's own key.
            return Decimal(0)
