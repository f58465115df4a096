"""Which endpoint serves a request: the model it names, and what its provider preferences leave."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from or_mcp.simulator.catalogue.endpoints import Endpoint, endpoints_of
from or_mcp.simulator.catalogue.models import CATALOGUE, Model
from or_mcp.simulator.delivery.refusals import Refused, unavailable
from or_mcp.simulator.wire import JsonObject, as_list, as_object

_MILLION = Decimal(1_000_000)

Keeps = Callable[[Endpoint], bool]


@dataclass(frozen=True, slots=True)
class _Filter:
    """One preference: what to call it when it excludes something, which field asked, what it keeps."""

    reason: str
    field: str
    keeps: Keeps


def find_model(slug: str, output: str | None = None) -> Model:
    """The model named in a request; refuses one that does not exist, with the closest names."""
    model = CATALOGUE.find(slug)
    if model is None:
        message = f"{slug} is not a valid model ID"
        raise unavailable(404, "model_not_found", message, [slug], fallback_models=CATALOGUE.closest(slug))
    if output is not None and output not in model.gives:
        raise wrong_endpoint(model, output)
    return model


def wrong_endpoint(model: Model, output: str) -> Refused:
    """The refusal of a model that does not do what this endpoint is for."""
    right = {"embeddings": "/api/v1/embeddings", "rerank": "/api/v1/rerank", "text": "/api/v1/chat/completions"}
    path = next((right[kind] for kind in right if kind in model.gives), "its own endpoint")
    others = [other.slug for other in CATALOGUE.models if output in other.gives][:3]
    return unavailable(
        400,
        "wrong_endpoint",
        f"Model {model.slug} does not support {output} output",
        [model.slug],
        fallback_models=others,
        constraint={"field": "model", "detail": f"Use {path} with {model.slug}"},
    )


def choose_endpoint(model: Model, preferences: JsonObject, wanted: frozenset[str] = frozenset()) -> Endpoint:
    """The endpoint that serves a concrete model with these preferences; refuses when none is left.

    `wanted` names the parameters the request uses, which matter with `require_parameters`.
    """
    offers = list(endpoints_of(model.slug))
    excluding: list[_Filter] = []
    for each in _filters(preferences, wanted):
        kept = [offer for offer in offers if each.keeps(offer)]
        if len(kept) < len(offers):
            excluding.append(each)
        offers = kept
    if not offers:
        raise _nothing_left(model, preferences, excluding)
    return _preferred(offers, preferences)


def _filters(preferences: JsonObject, wanted: frozenset[str]) -> Iterator[_Filter]:
    ignore: list[str] = preferences.get("ignore") or []
    only: list[str] | None = preferences.get("only")
    if preferences.get("allow_fallbacks") is False:
        only = only or preferences.get("order")
    grades: list[str] = preferences.get("quantizations") or []
    if preferences.get("zdr"):
        yield _Filter("data_policy:zdr", "provider.zdr", lambda offer: offer.provider.zdr)
    if preferences.get("data_collection") == "deny":
        yield _Filter("data_policy:training", "provider.data_collection", lambda offer: not offer.provider.trains)
    if only:
        yield _Filter("allowed_providers", "provider.only", lambda offer: any(map(offer.answers_to, only)))
    if ignore:
        yield _Filter("ignored_providers", "provider.ignore", lambda offer: not any(map(offer.answers_to, ignore)))
    if grades:
        yield _Filter("quantization", "provider.quantizations", lambda offer: offer.row["quantization"] in grades)
    for name, limit in as_object(preferences.get("max_price")).items():
        if limit is not None:
            yield _Filter("max_price", f"provider.max_price.{name}", _cheap_enough(name, Decimal(str(limit))))
    if preferences.get("require_parameters"):
        yield _Filter(
            "require_parameters",
            "provider.require_parameters",
            lambda offer: wanted <= set(offer.row["supported_parameters"]),
        )


def _cheap_enough(name: str, limit: Decimal) -> Keeps:
    # Token prices are compared per million, the others per unit.
    scale = _MILLION if name in ("prompt", "completion", "audio") else Decimal(1)
    return lambda offer: Decimal(offer.row["pricing"].get(name, "0")) * scale <= limit


def _nothing_left(model: Model, preferences: JsonObject, excluding: list[_Filter]) -> Refused:
    privacy = any(each.reason.startswith("data_policy") for each in excluding)
    message = (
        "No endpoints found matching your data policy"
        if privacy
        else f"No allowed providers are available for the selected model {model.slug}"
    )
    last = excluding[-1] if excluding else None
    return unavailable(
        404,
        "privacy_restricted" if privacy else "constraint_filtered" if excluding else "no_endpoints",
        message,
        [model.slug],
        excluded_by=list(dict.fromkeys(each.reason for each in excluding)),
        affected_providers=[offer.provider.name for offer in endpoints_of(model.slug)],
        fallback_models=_others_that_pass(model, preferences),
        constraint=last and {"field": last.field, "detail": f"No endpoint of {model.slug} satisfies {last.field}"},
    )


def _others_that_pass(model: Model, preferences: JsonObject) -> list[str]:
    found: list[str] = []
    for other in CATALOGUE.models:
        if other.gives != model.gives or other.alias_of or other.is_router or other.slug == model.slug:
            continue
        offers = endpoints_of(other.slug)
        if any(all(each.keeps(offer) for each in _filters(preferences, frozenset())) for offer in offers):
            found.append(other.slug)
        if len(found) == 3:
            break
    return found


def _preferred(offers: list[Endpoint], preferences: JsonObject) -> Endpoint:
    for name in as_list(preferences.get("order")):
        for offer in offers:
            if offer.answers_to(name):
                return offer
    sort = preferences.get("sort")
    by = as_object(sort).get("by") or sort
    if by == "throughput":
        return max(offers, key=lambda offer: offer.row["throughput_last_30m"]["p50"])
    if by == "latency":
        return min(offers, key=lambda offer: offer.row["latency_last_30m"]["p50"])
    if by == "price":
        return min(offers, key=lambda offer: Decimal(offer.row["pricing"]["prompt"]))
    return next((offer for offer in offers if offer.healthy), offers[0])
