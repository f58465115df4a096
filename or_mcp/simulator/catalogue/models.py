"""The catalogue: models looked up by anything a request may call them, as objects and as upstream's rows."""

import difflib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from or_mcp.simulator.catalogue.table import ALIASES, ROUTED, ROWS, Row
from or_mcp.simulator.wire import JsonObject, as_object, objects

_MILLION = Decimal(1_000_000)
_PER_CALL = ("request", "web_search", "image")
_DYNAMIC_VARIANTS = ("nitro", "floor", "exacto", "online")

_OPENAI = "frequency_penalty logit_bias logprobs max_completion_tokens parallel_tool_calls presence_penalty seed"
_SAMPLING = "frequency_penalty min_p presence_penalty repetition_penalty response_format seed stop top_k"
_TOOLS = "tools tool_choice"
_COMMON = "max_tokens temperature top_p"
_FAMILIES: dict[str, tuple[str, str]] = {
    "claude": ("Claude", f"{_COMMON} {_TOOLS} response_format stop structured_outputs top_k verbosity"),
    "gpt": ("GPT", f"{_COMMON} {_TOOLS} {_OPENAI} response_format stop structured_outputs top_logprobs verbosity"),
    "gemini": ("Gemini", f"{_COMMON} {_TOOLS} response_format seed stop structured_outputs"),
    "open": ("Other", f"{_COMMON} {_TOOLS} {_SAMPLING} logit_bias structured_outputs"),
    "tools": ("Other", f"{_COMMON} {_TOOLS} {_SAMPLING}"),
    "plain": ("Other", f"{_COMMON} {_SAMPLING}"),
    "grok": ("Grok", f"{_COMMON} {_TOOLS} logprobs response_format seed stop structured_outputs top_logprobs"),
    "nova": ("Nova", f"{_COMMON} {_TOOLS} stop top_k"),
    "search": ("Other", f"{_COMMON} frequency_penalty presence_penalty top_k web_search_options"),
    "cohere": ("Cohere", ""),
    "router": ("Router", ""),
}
_EFFORTS = ["max", "xhigh", "high", "medium", "low"]
_REASONING: dict[str, JsonObject] = {
    "hybrid": {
        "mandatory": False,
        "default_enabled": False,
        "default_effort": "high",
        "supported_efforts": _EFFORTS,
        "supports_max_tokens": True,
    },
    "effort": {
        "mandatory": False,
        "default_effort": "none",
        "default_enabled": False,
        "supported_efforts": [*_EFFORTS[1:], "none"],
    },
    "always": {
        "mandatory": True,
        "default_effort": "medium",
        "default_enabled": True,
        "supported_efforts": [*_EFFORTS[1:], "minimal"],
    },
    "oss": {"mandatory": True, "supported_efforts": _EFFORTS[2:], "default_effort": "medium"},
    "high": {
        "mandatory": True,
        "default_effort": "high",
        "supported_efforts": _EFFORTS[2:],
        "supports_max_tokens": True,
    },
    "budget": {
        "mandatory": False,
        "default_effort": "high",
        "supported_efforts": _EFFORTS[2:],
        "supports_max_tokens": True,
    },
    "switch": {"mandatory": False, "default_enabled": False, "supported_efforts": None},
    "must": {"mandatory": True},
}


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its row as upstream lists it, and what the simulator needs to know besides."""

    slug: str
    row: JsonObject
    takes: frozenset[str]
    gives: frozenset[str]
    hosts: tuple[str, ...]
    dimensions: int | None
    alias_of: str | None = None

    @property
    def author(self) -> str:
        """Who made it."""
        return self.slug.split("/")[0].removeprefix("~")

    @property
    def name(self) -> str:
        """Its display name, without the author."""
        return str(self.row["name"]).split(": ")[-1]

    @property
    def context(self) -> int | None:
        """The context length in tokens."""
        return self.row["context_length"]

    @property
    def max_output(self) -> int:
        """The longest completion in tokens."""
        return self.row["top_provider"]["max_completion_tokens"] or self.context or 4096

    @property
    def must_reason(self) -> bool:
        """Whether it reasons without being asked."""
        return bool(as_object(self.row.get("reasoning")).get("mandatory"))

    @property
    def is_router(self) -> bool:
        """Whether it only chooses among other models."""
        return self.author == "openrouter"

    @property
    def is_free(self) -> bool:
        """Whether tokens cost nothing."""
        return self.row["pricing"]["prompt"] == "0" and self.row["pricing"]["completion"] == "0"


def _number(value: Decimal) -> str:
    return format(value.normalize(), "f")


def per_token(per_million: str) -> str:
    """A price per million tokens as upstream's string per token."""
    return per_million if per_million == "-1" else _number(Decimal(per_million) / _MILLION)


def _pricing(row: Row) -> JsonObject:
    prompt, completion = row.price.split()
    prices: JsonObject = {"prompt": per_token(prompt), "completion": per_token(completion)}
    if row.search:
        prices["web_search"] = _number(Decimal(row.search) / 1000)
    names = ("input_cache_read", "input_cache_write", "input_cache_write_1h")
    prices |= {name: per_token(price) for name, price in zip(names, row.cache.split(), strict=False)}
    prices |= {name: price if name in _PER_CALL else per_token(price) for name, price in row.extra}
    if row.discount:
        prices["discount"] = row.discount
    if row.overrides:
        prices["overrides"] = [
            {name: per_token(value) if isinstance(value, str) else value for name, value in override.items()}
            for override in row.overrides
        ]
    return prices


def _benchmarks(row: Row) -> JsonObject | None:
    if not row.bench:
        return None
    intelligence, coding, agentic, *elo = (float(figure) for figure in row.bench.split())
    arena = [
        {
            "arena": "models",
            "category": "website",
            "elo": value,
            "rank": round((1430 - value) / 6),
            "win_rate": round(50 + (value - 1300) / 10, 1),
        }
        for value in elo
    ]
    indices = {"intelligence_index": intelligence, "coding_index": coding, "agentic_index": agentic}
    return {"design_arena": arena, "artificial_analysis": indices}


def _listing(row: Row) -> JsonObject:
    released = datetime.fromisoformat(row.released).replace(tzinfo=UTC)
    tokenizer, parameters = _FAMILIES[row.family]
    takes, gives = row.takes.split(), row.gives.split()
    speaks = "text" in gives and row.family != "router"
    reasoning = _REASONING.get(row.thinks)
    names = set(parameters.split()) if speaks else set[str]()
    if reasoning and speaks:
        names |= {"reasoning", "include_reasoning"}
    canonical = row.slug.split(":")[0] + ("" if row.family == "router" else f"-{released:%Y%m%d}")
    listing: JsonObject = {
        "id": row.slug,
        "canonical_slug": canonical,
        "name": row.name,
        "created": int(released.timestamp()),
        "description": f"[simulated] {row.name}, as the simulator imagines it.",
        "context_length": row.context,
        "architecture": {
            "modality": f"{'+'.join(takes)}->{'+'.join(gives)}",
            "input_modalities": takes,
            "output_modalities": gives,
            "tokenizer": tokenizer,
            "instruct_type": None,
        },
        "pricing": _pricing(row),
        "top_provider": {
            "context_length": row.context,
            "max_completion_tokens": row.output,
            "is_moderated": row.family in ("claude", "gpt"),
        },
        "per_request_limits": None,
        "supported_parameters": sorted(names),
        "default_parameters": {"temperature": 1, "top_p": None} if row.family == "claude" else None,
        "supported_voices": list(row.voices) or None,
        "knowledge_cutoff": f"{released - timedelta(days=120):%Y-%m-%d}" if speaks else None,
        "expiration_date": None,
        "hugging_face_id": row.slug.split(":")[0] if row.family in ("open", "plain") else None,
        "links": {"details": f"/api/v1/models/{canonical}/endpoints"},
    }
    if row.expires_in_days is not None:
        expires = datetime.now(UTC).date() + timedelta(days=row.expires_in_days)
        listing["expiration_date"] = expires.isoformat()
    if reasoning:
        listing["reasoning"] = reasoning
    if benchmarks := _benchmarks(row):
        listing["benchmarks"] = benchmarks
    return listing


def _model(row: Row) -> Model:
    takes, gives = frozenset(row.takes.split()), frozenset(row.gives.split())
    return Model(row.slug, _listing(row), takes, gives, tuple(row.hosts.split()), row.dimensions)


def _alias(slug: str, target: Model) -> Model:
    row = target.row | {
        "id": slug,
        "canonical_slug": slug,
        "name": f"{str(target.row['name']).split(':')[0]}: {slug.split('/')[1].replace('-', ' ').title()}",
        "alias_target": {"name": target.row["name"], "slug": target.slug},
        "links": {"details": f"/api/v1/models/{slug}/endpoints"},
    }
    return replace(target, slug=slug, row=row, alias_of=target.slug)


class Catalogue:
    """Every model there is."""

    def __init__(self) -> None:
        models = {row.slug: _model(row) for row in ROWS}
        text = [model for model in models.values() if "text" in model.gives]
        rest = [model for model in models.values() if "text" not in model.gives]
        aliases = [_alias(slug, models[target]) for slug, target in ALIASES.items()]
        self.models: tuple[Model, ...] = (*text, *aliases, *rest)
        self._by_slug = {model.slug: model for model in self.models}
        self._by_slug |= {
            str(model.row["canonical_slug"]): model for model in reversed(self.models) if ":" not in model.slug
        }

    def find(self, slug: str) -> Model | None:
        """The model a request means: by slug, canonical slug, alias or dynamic variant, preset suffix ignored."""
        if slug.startswith("@preset/"):
            slug = "openrouter/auto"
        slug = slug.split("@preset/")[0]
        base, _, variant = slug.partition(":")
        return self._by_slug.get(base if variant in _DYNAMIC_VARIANTS else slug)

    def concrete(self, model: Model) -> Model:
        """The model that answers: an alias's target, a router's choice, else itself."""
        if model.alias_of is not None:
            return self._by_slug[model.alias_of]
        return self._by_slug[ROUTED[model.slug]] if model.slug in ROUTED else model

    def closest(self, slug: str, count: int = 3) -> list[str]:
        """The slugs most like this one, best first."""
        speaking = [model.slug for model in self.models]
        return difflib.get_close_matches(slug.lower(), speaking, n=count, cutoff=0.3)


def overrides(pricing: JsonObject) -> list[JsonObject]:
    """The conditional prices of a pricing object."""
    return objects(pricing.get("overrides"))


CATALOGUE = Catalogue()
