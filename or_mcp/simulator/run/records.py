"""Turning a settled run into the record the ledger keeps."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from or_mcp.simulator.catalogue.endpoints import Endpoint, endpoints_of
from or_mcp.simulator.catalogue.models import CATALOGUE, Model
from or_mcp.simulator.delivery.framing import Settlement
from or_mcp.simulator.money.accounts import Charge, Generation
from or_mcp.simulator.money.pricing import Tokens
from or_mcp.simulator.run.outcomes import Outcome
from or_mcp.simulator.wire import JsonObject, dollars

_NULLS = """
    upstream_inference_cost cache_discount app_id moderation_latency native_tokens_completion_images num_media_prompt
    num_input_audio_prompt num_media_completion num_search_results num_fetches web_search_engine external_user
    router response_cache_source_id preset_id
"""
_NOT_SET = tuple(_NULLS.split())


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call came from, as far as its record shows it."""

    request_id: str
    started: float
    session_id: str | None = None
    user_agent: str | None = None
    referer: str | None = None


def record_outcome(outcome: Outcome, origin: Origin, settlement: Settlement) -> Generation:
    """The record of a run of words."""
    details = _details(outcome.id, outcome.model, outcome.endpoint, outcome.tokens, origin, settlement)
    broken = settlement.cancelled or settlement.failed
    details |= {
        "streamed": outcome.ask.stream,
        "finish_reason": ("error" if settlement.failed else None) if broken else outcome.finish_reason,
        "native_finish_reason": None if broken else outcome.native_finish_reason,
        "router": outcome.requested.slug if outcome.requested.is_router else None,
        "num_search_results": len(outcome.citations) or None,
        "web_search_engine": "exa" if outcome.searches else None,
    }
    charges = _charges(outcome, settlement)
    free = outcome.model.is_free
    return _generation(outcome.id, charges, details, free=free)


def record_call(
    identity: str, model: Model, endpoint: Endpoint, tokens: Tokens, cost: Decimal, origin: Origin, kind: str
) -> Generation:
    """The record of an embeddings or rerank call."""
    details = _details(identity, model, endpoint, tokens, origin, Settlement())
    details |= {"api_type": kind, "streamed": False, "finish_reason": None, "native_finish_reason": None}
    charge = _charge(model, endpoint.provider.name, cost, tokens)
    return _generation(identity, (charge,), details, free=model.is_free)


def _generation(identity: str, charges: tuple[Charge, ...], details: JsonObject, *, free: bool) -> Generation:
    made = Generation(identity, time.time(), charges, details, free)
    details |= {"total_cost": dollars(made.cost), "usage": dollars(made.cost)}
    return made


def _charge(model: Model, provider: str, cost: Decimal, tokens: Tokens) -> Charge:
    return Charge(model.slug, str(model.row["canonical_slug"]), provider, cost, tokens)


def _charges(outcome: Outcome, settlement: Settlement) -> tuple[Charge, ...]:
    if settlement.cost is not None:
        # How a broken run divides among its models is not known here; the whole is the outer model's.
        return (_charge(outcome.model, outcome.provider, settlement.cost, Tokens()),)
    charges = [_charge(outcome.model, outcome.provider, outcome.bill.total, outcome.tokens)]
    if outcome.fusion is not None:
        inner = [(each.model, each.bill.total, each.tokens) for each in outcome.fusion.replies]
        inner.append((outcome.fusion.analyst, outcome.fusion.analyst_bill.total, outcome.fusion.analyst_tokens))
        for slug, cost, tokens in inner:
            known = CATALOGUE.find(slug)
            if known is not None and (cost or tokens.prompt):
                model = CATALOGUE.concrete(known)
                charges.append(_charge(model, endpoints_of(model.slug)[0].provider.name, cost, tokens))
    return tuple(charges)


def _details(
    identity: str, model: Model, endpoint: Endpoint, tokens: Tokens, origin: Origin, settlement: Settlement
) -> JsonObject:
    elapsed_ms = round((time.time() - origin.started) * 1000)
    created = datetime.fromtimestamp(origin.started, UTC).isoformat(timespec="milliseconds")
    upstream_id = f"up_{identity[-12:]}"
    return dict.fromkeys(_NOT_SET) | {
        "id": identity,
        "upstream_id": upstream_id,
        "created_at": created.replace("+00:00", "Z"),
        "model": model.slug,
        "cancelled": settlement.cancelled,
        "provider_name": endpoint.provider.name,
        "latency": elapsed_ms,
        "generation_time": elapsed_ms,
        "tokens_prompt": tokens.prompt,
        "tokens_completion": tokens.completion,
        "native_tokens_prompt": tokens.prompt,
        "native_tokens_completion": tokens.completion,
        "native_tokens_reasoning": tokens.reasoning,
        "native_tokens_cached": 0,
        "origin": origin.referer or "",
        "is_byok": False,
        "api_type": "completions",
        "provider_responses": [
            {
                "id": upstream_id,
                "endpoint_id": f"ep_{identity[-8:]}",
                "model_permaslug": model.row["canonical_slug"],
                "provider_name": endpoint.provider.name,
                "status": 502 if settlement.failed else 200,
                "latency": elapsed_ms,
                "is_byok": False,
            }
        ],
        "request_id": origin.request_id,
        "session_id": origin.session_id,
        "user_agent": origin.user_agent,
        "http_referer": origin.referer,
        "service_tier": "default",
        "data_region": "global",
        "workspace_id": "ws_simulated",
    }
