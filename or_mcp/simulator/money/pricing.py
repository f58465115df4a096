"""What a call costs, from a pricing object, in exact decimals."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from or_mcp.simulator.wire import JsonObject, objects

# Exa's prices, which server tools use unless the model brings its own search.
SEARCH_PRICE = Decimal("0.007")
FETCH_PRICE = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one inner call used; reasoning is part of completion."""

    prompt: int = 0
    completion: int = 0
    reasoning: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.prompt + other.prompt, self.completion + other.completion, self.reasoning + other.reasoning)


@dataclass(frozen=True, slots=True)
class Bill:
    """What a call costs, split the way upstream reports it."""

    prompt: Decimal = Decimal(0)
    completion: Decimal = Decimal(0)
    tools: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """The sum."""
        return self.prompt + self.completion + self.tools

    def __add__(self, other: "Bill") -> "Bill":
        return Bill(self.prompt + other.prompt, self.completion + other.completion, self.tools + other.tools)


NO_TOKENS = Tokens()
NO_BILL = Bill()


def applicable(pricing: JsonObject, prompt_tokens: int, at: datetime) -> JsonObject:
    """The prices in force for a prompt of this size at this time."""
    prices = dict(pricing)
    for entry in objects(prices.pop("overrides", [])):
        override = dict(entry)
        conditions = {name: override.pop(name, None) for name in ("min_prompt_tokens", "utc_start", "utc_end")}
        if _applies(conditions, prompt_tokens, at):
            prices |= override
    return prices


def _applies(conditions: JsonObject, prompt_tokens: int, at: datetime) -> bool:
    threshold, start, end = conditions["min_prompt_tokens"], conditions["utc_start"], conditions["utc_end"]
    if threshold is not None and prompt_tokens <= threshold:
        return False
    if start is None or end is None:
        return True
    now = at.hour * 100 + at.minute
    return start <= now < end if start <= end else now >= start or now < end


def bill(
    pricing: JsonObject, tokens: Tokens, *, searches: int = 0, fetches: int = 0, at: datetime | None = None
) -> Bill:
    """The bill for one call of a model with this pricing; a price of -1 is never charged."""
    prices = applicable(pricing, tokens.prompt, at or datetime.now(UTC))

    def rate(name: str, default: str = "0") -> Decimal:
        return max(Decimal(prices.get(name, default)), Decimal(0))

    kept = 1 - Decimal(str(prices.get("discount", 0)))
    thought = tokens.reasoning * rate("internal_reasoning", str(prices["completion"]))
    said = (tokens.completion - tokens.reasoning) * rate("completion")
    prompt = tokens.prompt * rate("prompt") + rate("request")
    tools = searches * SEARCH_PRICE + fetches * FETCH_PRICE
    return Bill(prompt * kept, (said + thought) * kept, tools)
