"""Turning a settled run into the record the ledger keeps."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from or_mcp.simulator.catalogue import Catalogue, Model
from or_mcp.simulator.catalogue.endpoints import Endpoint
from or_mcp.simulator.delivery.framing import Settlement
from or_mcp.simulator.money.accounts import Charge, Generation
from or_mcp.simulator.money.pricing import Bill, Tokens
from or_mcp.simulator.run.outcomes import Outcome
from or_mcp.simulator.wire import JsonObject, dollars

_NULLS = """
    app_id moderation_latency native_tokens_completion_images num_media_prompt
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


def record_outcome(catalogue: Catalogue, outcome: Outcome, origin: Origin, settlement: Settlement) -> Generation:
    """The record of a run of words."""
    details = _details(outcome.id, outcome.model, outcome.endpoint, outcome.tokens, origin, settlement)
    broken = settlement.cancelled or settlement.failed
    details |= {
        "streamed": outcome.ask.stream,
        "finish_reason": ("error" if settlement.failed else None) if broken else outcome.finish_reason,
        "native_finish_reason": None if broken else outcome.native_finish_reason,
        "router": outcome.requested.slug if outcome.requested.is_router else None,
        "num_search_results": len(outcome.citations) or None,
        "num_fetches": outcome.fetches or None,
        "web_search_engine": outcome.ask.web.engine_for(outcome.endpoint.row["pricing"]) if outcome.searches else None,
        "service_tier": outcome.tier,
        "is_byok": outcome.byok,
        "upstream_inference_cost": dollars(outcome.bill.inference),
        "cache_discount": dollars(outcome.bill.saved) if outcome.tokens.cached or outcome.tokens.written else None,
    }
    details["provider_responses"][0]["is_byok"] = outcome.byok
    return _generation(outcome.id, _charges(catalogue, outcome, settlement), details, free=outcome.model.is_free)


def record_call(
    identity: str,
    model: Model,
    endpoint: Endpoint,
    tokens: Tokens,
    bill: Bill,
    origin: Origin,
    kind: str,
    *,
    byok: bool,
) -> Generation:
    """The record of a call for something else than words."""
    details = _details(identity, model, endpoint, tokens, origin, Settlement())
    details |= {"api_type": kind, "streamed": False, "finish_reason": None, "native_finish_reason": None}
    details |= {"is_byok": byok, "upstream_inference_cost": dollars(bill.inference)}
    charge = _charge(model, endpoint.provider.name, bill, tokens, byok=byok)
    return _generation(identity, (charge,), details, free=model.is_free)


def _generation(identity: str, charges: tuple[Charge, ...], details: JsonObject, *, free: bool) -> Generation:
    made = Generation(identity, time.time(), charges, details, free)
    details |= {"total_cost": dollars(made.cost), "usage": dollars(made.cost)}
    return made


def _charge(model: Model, provider: str, bill: Bill, tokens: Tokens, *, byok: bool) -> Charge:
    paid_elsewhere = bill.inference if byok else Decimal(0)
    permaslug = str(model.row["canonical_slug"])
    return Charge(model.slug, permaslug, provider, bill.charged(byok=byok), tokens, paid_elsewhere)


def _charges(catalogue: Catalogue, outcome: Outcome, settlement: Settlement) -> tuple[Charge, ...]:
    if settlement.cost is not None:
        # How a broken run divides among its models is not known here; the whole is the outer model's.
        slug, permaslug = outcome.model.slug, str(outcome.model.row["canonical_slug"])
        return (Charge(slug, permaslug, outcome.provider, settlement.cost),)
    byok = outcome.byok
    charges = [_charge(outcome.model, outcome.provider, outcome.bill, outcome.tokens, byok=byok)]
    if outcome.fusion is not None:
        inner = [(each.model, each.bill, each.tokens) for each in outcome.fusion.panel]
        inner.append((outcome.fusion.analyst, outcome.fusion.analyst_bill, outcome.fusion.analyst_tokens))
        for slug, bill, tokens in inner:
            known = catalogue.find(slug)
            if known is not None and (bill.total or tokens.prompt):
                model = catalogue.concrete(known)
                charges.append(_charge(model, catalogue.offers(model)[0].provider.name, bill, tokens, byok=byok))
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
        "native_tokens_cached": tokens.cached,
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
