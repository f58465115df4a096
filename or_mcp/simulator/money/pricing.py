"""What a call costs, from a pricing object, in exact decimals."""

from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from decimal import Decimal

from or_mcp.simulator.wire import JsonObject, dollars, objects

# OpenRouter's fee for a call that the caller's own key at the provider pays for.
_BYOK_FEE = Decimal("0.05")
# What the makers who offer tiers charge for them, against the listed price.
TIERS = {
    "batch": Decimal("0.5"),
    "flex": Decimal("0.5"),
    "priority": Decimal(2),
    "fast": Decimal(2),
    "ultrafast": Decimal(2),
}
_NO_DISCOUNT = Decimal(1)
_CONDITIONS = ("min_prompt_tokens", "utc_start", "utc_end", "utc_days")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one inner call used. The first two hold all the others, but for images, which are counted by the picture."""

    prompt: int = 0
    completion: int = 0
    reasoning: int = 0
    cached: int = 0
    written: int = 0
    # Of those, what is kept for an hour instead of five minutes.
    written_1h: int = 0
    audio: int = 0
    # Of those, what was read from a cache.
    audio_cached: int = 0
    images: int = 0
    # The tokens of the pictures that were sent.
    image_in: int = 0
    audio_out: int = 0
    image_out: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(*map(sum, zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Bill:
    """What a call costs, split the way upstream reports it."""

    prompt: Decimal = Decimal(0)
    completion: Decimal = Decimal(0)
    tools: Decimal = Decimal(0)
    # What reading from a cache saved, less what writing to it cost.
    saved: Decimal = Decimal(0)

    @property
    def inference(self) -> Decimal:
        """What the provider charges."""
        return self.prompt + self.completion

    @property
    def total(self) -> Decimal:
        """The sum."""
        return self.inference + self.tools

    def __add__(self, other: "Bill") -> "Bill":
        return Bill(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.tools + other.tools,
            self.saved + other.saved,
        )

    def details(self) -> JsonObject:
        """`cost_details`, as all APIs but /responses spell them."""
        tools: JsonObject = {"server_tool_cost": dollars(self.tools)} if self.tools else {}
        return {
            "upstream_inference_cost": dollars(self.inference),
            "upstream_inference_prompt_cost": dollars(self.prompt),
            "upstream_inference_completions_cost": dollars(self.completion),
        } | tools

    def charged(self, *, byok: bool) -> Decimal:
        """What OpenRouter charges: everything, or its fee and its tools where the caller pays the provider."""
        return self.inference * _BYOK_FEE + self.tools if byok else self.total


NO_TOKENS = Tokens()
NO_BILL = Bill()


def applicable(pricing: JsonObject, prompt_tokens: int, at: datetime) -> JsonObject:
    """The prices in force for a prompt of this size at this time."""
    prices = dict(pricing)
    for entry in objects(prices.pop("overrides", [])):
        override = dict(entry)
        conditions = {name: override.pop(name, None) for name in _CONDITIONS}
        if _applies(conditions, prompt_tokens, at):
            prices |= override
    return prices


def _applies(conditions: JsonObject, prompt_tokens: int, at: datetime) -> bool:
    threshold, start, end = conditions["min_prompt_tokens"], conditions["utc_start"], conditions["utc_end"]
    if threshold is not None and prompt_tokens <= threshold:
        return False
    if conditions["utc_days"] is not None and _DAYS[at.weekday()] not in conditions["utc_days"]:
        return False
    if start is None or end is None:
        return True
    now = at.hour * 100 + at.minute
    return start <= now < end if start <= end else now >= start or now < end


class Rates:
    """The prices in force for one call; what a pricing object does not name costs what its kind of token costs."""

    def __init__(self, pricing: JsonObject, prompt_tokens: int = 0, at: datetime | None = None) -> None:
        self._prices = applicable(pricing, prompt_tokens, at or datetime.now(UTC))

    def __call__(self, *names: str) -> Decimal:
        """The first of these prices that is listed, else nothing; a price of -1 is never charged."""
        listed = (self._prices[name] for name in names if self._prices.get(name) is not None)
        return max(Decimal(str(next(listed, "0"))), Decimal(0))

    @property
    def kept(self) -> Decimal:
        """The part of the listed price that a discount leaves."""
        return 1 - Decimal(str(self._prices.get("discount") or 0))

    @property
    def writing_for_an_hour(self) -> Decimal:
        """What a token kept for an hour costs; where nothing is listed, twice the price of the prompt."""
        return self("input_cache_write_1h") or max(2 * self("prompt"), self("input_cache_write"))

    @property
    def writing_costs_more(self) -> bool:
        """Whether a prompt is dearer for being written to a cache."""
        return self("input_cache_write", "prompt") > self("prompt")


def bill(
    pricing: JsonObject,
    tokens: Tokens,
    *,
    tools: Decimal = Decimal(0),
    at: datetime | None = None,
    tier: Decimal = _NO_DISCOUNT,
) -> Bill:
    """The bill for one call of a model with this pricing, and of what its server tools cost."""
    rate = Rates(pricing, tokens.prompt, at)
    factor = rate.kept * tier
    heard = tokens.audio - tokens.audio_cached
    plain = tokens.prompt - tokens.cached - tokens.written - heard
    written_short = tokens.written - tokens.written_1h
    cache = (tokens.cached - tokens.audio_cached) * rate("input_cache_read", "prompt")
    cache += tokens.audio_cached * rate("input_audio_cache", "input_cache_read", "prompt")
    cache += written_short * rate("input_cache_write", "prompt")
    cache += tokens.written_1h * rate.writing_for_an_hour
    media = heard * rate("audio", "prompt") + tokens.images * rate("image")
    # A price per token of pictures takes the place of the price of text.
    media += tokens.image_in * (rate("image_token", "prompt") - rate("prompt"))
    prompt = plain * rate("prompt") + cache + media + rate("request")
    said = tokens.completion - tokens.reasoning - tokens.audio_out - tokens.image_out
    completion = said * rate("completion") + tokens.reasoning * rate("internal_reasoning", "completion")
    completion += tokens.audio_out * rate("audio_output", "completion")
    completion += tokens.image_out * rate("image_output", "completion")
    saved = (tokens.cached + tokens.written) * rate("prompt") - cache
    return Bill(prompt * factor, completion * factor, tools, saved * factor)
