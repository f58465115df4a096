"""From the table's rows to models and their rows as upstream lists them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from or_mcp.simulator.catalogue.models import Model
from or_mcp.simulator.catalogue.table import ALIASES, ROWS, Row
from or_mcp.simulator.wire import JsonObject

_MILLION = Decimal(1_000_000)
_PER_CALL = ("request", "web_search", "image")

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
    "cohere": ("Cohere", f"{_COMMON} frequency_penalty presence_penalty response_format seed stop top_k"),
    "voyage": ("Other", ""),
    "decides": ("Other", ""),
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
    # Upstream lists the parameters of words on embedding and rerank rows too, though nothing there obeys them.
    names = set(parameters.split()) if speaks or {"embeddings", "rerank"} & set(gives) else set[str]()
    if not speaks:
        names -= {"tools", "tool_choice", "parallel_tool_calls", "verbosity"}
    if reasoning and speaks:
        names |= {"reasoning", "include_reasoning"}
    dated = row.slug.split(":")[0] + ("" if row.family == "router" else f"-{released:%Y%m%d}")
    canonical = row.permaslug or dated
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
    charged = (("unit", row.unit), ("megapixel", row.megapixel), *((f"unit {size}", usd) for size, usd in row.sizes))
    unlisted = {name: Decimal(usd) for name, usd in charged if usd}
    if row.unlisted:
        unlisted["prompt"] = Decimal(row.unlisted) / _MILLION
    return Model(row.slug, _listing(row), takes, gives, tuple(row.hosts.split()), row.dimensions, unlisted)


def _alias(slug: str, target: Model) -> Model:
    row = target.row | {
        "id": slug,
        "canonical_slug": slug,
        "name": f"{str(target.row['name']).split(':')[0]}: {slug.split('/')[1].replace('-', ' ').title()}",
        "alias_target": {"name": target.row["name"], "slug": target.slug},
        "links": {"details": f"/api/v1/models/{slug}/endpoints"},
    }
    return replace(target, slug=slug, row=row, alias_of=target.slug)


def standard_models() -> Iterator[Model]:
    """Every model of the table, in upstream's order: those that write, aliases, the others."""
    models = {row.slug: _model(row) for row in ROWS}
    yield from (model for model in models.values() if "text" in model.gives)
    yield from (_alias(slug, models[target]) for slug, target in ALIASES.items())
    yield from (model for model in models.values() if "text" not in model.gives)
