"""What web tools cost by the call, on top of tokens."""

from decimal import Decimal

from or_mcp.simulator.wire import JsonObject

FETCH_PRICE = Decimal("0.001")
_EXA, _EXA_FURTHER_RESULT, _EXA_RESULTS = Decimal("0.007"), Decimal("0.001"), 10
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
    match engine:
        case "native":
            return Decimal(str(pricing["web_search"]))
        case "exa":
            further = max(results - _EXA_RESULTS, 0) * _EXA_FURTHER_RESULT
            return _EXA_DEEP.get(mode or "", _EXA) + further
        case "parallel":
            return _PARALLEL_FAST if mode in ("fast", "turbo") else _PARALLEL
        case "perplexity":
            return _PERPLEXITY
        case _:
            # Firecrawl is paid with the caller's own key.
            return Decimal(0)
