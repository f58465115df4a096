"""Who serves a model: providers, their endpoints, and which of them a request's preferences leave."""

import random
from dataclasses import dataclass
from decimal import Decimal

from or_mcp.simulator.catalogue.models import Model
from or_mcp.simulator.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Provider:
    """A company serving tokens."""

    name: str
    home: str
    site: str
    zdr: bool = False
    trains: bool = False
    datacenters: tuple[str, ...] = ("US",)


# fmt: off
PROVIDERS: dict[str, Provider] = {
    "anthropic": Provider("Anthropic", "US", "anthropic.com"),
    "amazon-bedrock": Provider("Amazon Bedrock", "US", "aws.amazon.com", zdr=True, datacenters=("US", "IE", "DE")),
    "google-vertex": Provider("Google", "US", "cloud.google.com", zdr=True, datacenters=("US", "BE", "NL")),
    "google-ai-studio": Provider("Google AI Studio", "US", "ai.google.dev", trains=True),
    "openai": Provider("OpenAI", "US", "openai.com"),
    "azure": Provider("Azure", "US", "azure.microsoft.com", zdr=True, datacenters=("US", "SE")),
    "deepinfra": Provider("DeepInfra", "US", "deepinfra.com", zdr=True),
    "novita": Provider("Novita", "US", "novita.ai"),
    "together": Provider("Together", "US", "together.ai", zdr=True),
    "fireworks": Provider("Fireworks", "US", "fireworks.ai", zdr=True),
    "groq": Provider("Groq", "US", "groq.com", zdr=True),
    "sambanova": Provider("SambaNova", "US", "sambanova.ai"),
    "parasail": Provider("Parasail", "US", "parasail.io", zdr=True),
    "open-inference": Provider("OpenInference", "US", "openinference.xyz", trains=True),
    "chutes": Provider("Chutes", "US", "chutes.ai", trains=True),
    "deepseek": Provider("DeepSeek", "CN", "deepseek.com", trains=True, datacenters=("CN",)),
    "alibaba": Provider("Alibaba", "CN", "alibabacloud.com", datacenters=("SG",)),
    "xai": Provider("xAI", "US", "x.ai"),
    "mistral": Provider("Mistral", "FR", "mistral.ai", datacenters=("FR", "SE")),
    "moonshotai": Provider("Moonshot AI", "CN", "moonshot.ai", datacenters=("SG",)),
    "z-ai": Provider("Z.AI", "SG", "z.ai", datacenters=("SG",)),
    "minimax": Provider("Minimax", "SG", "minimax.io", datacenters=("SG",)),
    "nvidia": Provider("Nvidia", "US", "nvidia.com", trains=True),
    "perplexity": Provider("Perplexity", "US", "perplexity.ai"),
    "cohere": Provider("Cohere", "CA", "cohere.com", datacenters=("US", "CA")),
    "typesafe": Provider("TypeSafe", "US", "typesafe.ai"),
    "voyage": Provider("Voyage", "US", "voyageai.com"),
    "seed": Provider("Seed", "CN", "seed.bytedance.com", datacenters=("SG",)),
    "inception": Provider("Inception", "US", "inceptionlabs.ai"),
}
# fmt: on

_BY_AUTHOR = {
    "anthropic": ("anthropic", "amazon-bedrock", "google-vertex"),
    "openai": ("openai", "azure"),
    "google": ("google-vertex", "google-ai-studio"),
    "x-ai": ("xai", "azure"),
}
_OPEN_WEIGHTS = ("deepinfra", "novita", "together", "fireworks", "groq", "parasail", "chutes", "open-inference")
_UNHEALTHY = -2


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One provider's offer of one model."""

    tag: str
    provider: Provider
    row: JsonObject

    @property
    def healthy(self) -> bool:
        """Whether requests are routed to it unasked."""
        return self.row["status"] == 0

    def answers_to(self, name: str) -> bool:
        """Whether a preference list means it: by tag, provider slug or provider name."""
        return name.lower() in (self.tag, self.tag.split("/")[0], self.provider.name.lower())


def _scaled(pricing: JsonObject, factor: Decimal) -> JsonObject:
    def scale(value: object) -> object:
        if not isinstance(value, str) or value == "-1":
            return value
        return format((Decimal(value) * factor).normalize(), "f")

    prices = {name: scale(value) for name, value in pricing.items() if name != "overrides"}
    return prices | ({"overrides": pricing["overrides"]} if "overrides" in pricing and factor == 1 else {})


def _percentiles(median: float, spread: float) -> JsonObject:
    return {
        name: round(median * (1 + spread * step), 1)
        for name, step in (("p50", 0), ("p75", 0.4), ("p90", 0.8), ("p99", 1.1))
    }


def _endpoint(model: Model, tag: str, nth: int) -> Endpoint:
    slug, _, region = tag.partition("/")
    provider = PROVIDERS[slug]
    dice = random.Random(f"{model.slug}|{tag}")
    opened = slug in _OPEN_WEIGHTS
    quantization = dice.choice(["fp8", "bf16", "fp4"]) if opened else "unknown"
    status = _UNHEALTHY if nth >= 2 and dice.random() < 0.15 else 0
    uptime = round(99.9 - dice.random() * (1.5 if status == 0 else 30), 2)
    latency = _percentiles(dice.uniform(250, 1900), 2.2)
    throughput = _percentiles(dice.uniform(35, 190), -0.8)
    parameters = list(model.row["supported_parameters"])
    if nth >= 2:
        parameters = [name for name in parameters if name not in ("structured_outputs", "logprobs", "top_logprobs")]
    tools = "tools" in parameters
    factor = Decimal(1) if nth == 0 else Decimal(str(round(dice.uniform(1.0, 1.3), 2)))
    row: JsonObject = {
        "name": f"{provider.name} | {model.row['canonical_slug']}",
        "model_id": model.slug,
        "model_name": model.row["name"],
        "context_length": model.context or 0,
        "pricing": _scaled(model.row["pricing"], factor) | {"discount": model.row["pricing"].get("discount", 0)},
        "provider_name": provider.name,
        "tag": f"{slug}/{region or quantization}" if opened or region else slug,
        "quantization": quantization,
        "max_completion_tokens": model.row["top_provider"]["max_completion_tokens"],
        "max_prompt_tokens": None,
        "supported_parameters": parameters,
        "status": status,
        "uptime_last_5m": uptime if dice.random() < 0.9 else None,
        "uptime_last_30m": uptime,
        "uptime_last_1d": round(uptime - dice.random() * 0.4, 2),
        "supports_implicit_caching": "input_cache_read" in model.row["pricing"],
        "latency_last_30m": latency,
        "throughput_last_30m": throughput,
        "native_tools": {},
        "service_tier": None,
        "supports_diarization": False,
        "supports_tool_choice": {"auto": tools, "none": tools, "required": tools and nth < 2, "function": tools},
        "supports_voice_cloning": False,
        "supports_image_reference": False,
        "supports_multiple_audio_references": False,
    }
    return Endpoint(row["tag"], provider, row)


def endpoints_of(model: Model) -> tuple[Endpoint, ...]:
    """Every endpoint of a model that answers itself, the one used by default first."""
    tags = model.hosts or _BY_AUTHOR.get(model.author, ("deepinfra",))
    return tuple(_endpoint(model, tag, nth) for nth, tag in enumerate(tags))


def public(endpoint: Endpoint, *, with_performance: bool) -> JsonObject:
    """An endpoint as listed; the performance figures are for callers with a key."""
    if with_performance:
        return endpoint.row
    return endpoint.row | {"latency_last_30m": None, "throughput_last_30m": None}


def provider_rows() -> list[JsonObject]:
    """GET /providers."""
    return [
        {
            "name": provider.name,
            "slug": slug,
            "privacy_policy_url": f"https://{provider.site}/privacy",
            "terms_of_service_url": f"https://{provider.site}/terms",
            "status_page_url": f"https://status.{provider.site}",
            "headquarters": provider.home,
            "datacenters": list(provider.datacenters),
        }
        for slug, provider in PROVIDERS.items()
    ]
